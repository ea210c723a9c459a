/**
 * `server-x86`: one socket of an x86 server around 3 GHz, clocks pinned, idle states deeper than C1 disabled, as storage benchmarks are run.
 *
 * How the block-layer figures were found: blktrace of small direct I/O on a null block device (2-vCPU guest on an AMD EPYC, kernel 6.18, median
 * interval between two trace points), less the cost of the trace point itself, 0.1 to 0.2 µs. Below: `@source trace`.
 *
 * Check on the sum: Q to D without a scheduler is 500 + 240 + 60 + 150 + 200 = 1150 ns; the traces show 1.6 µs with five trace points in between.
 *
 * Waking a task on another CPU that idles in C1, the work-queue hop of dm-crypt:
 *   wake 300 + IPI sent 100 + IPI on its way 260 + C1 exit 1200 + context switch 1000 = 2860 ns.
 * @source blog.cloudflare.com "Speeding up Linux disk encryption" (2020-03-25): default minus inline is 7.1 µs per I/O with 2.5 wakes
 *   on average, so 2.86 µs per wake. The parts are assumed, each within its own bounds below; their sum is what was measured.
 */
import type { MachineProfile } from './costs.ts';

export const SERVER_X86: MachineProfile = {
  name: 'server-x86',
  description: 'x86 server core at about 3 GHz, clocks pinned, idle state C1 only',
  cpus: 8,
  costs: {
    idleStates: [
      // @source Linux drivers/idle/intel_idle.c, Skylake server: C1 target residency 2 µs, worst-case exit latency 2 µs
      // @assume 60 % of the worst case is the usual exit; it is what is left of the 2.86 µs above
      { name: 'C1', minResidencyNs: 2_000, exitNs: 1_200 },
    ],

    hardirqEntryNs: 600, // @assume vector, irq core and EOI: with handler, softirq and completion 1.5 µs per interrupted I/O
    softirqEntryNs: 200, // @assume the part of a softirq hop (0.5 to 1.5 µs) that is not its handler, cost of the handler being counted apart
    contextSwitchNs: 1_000, // @source perf bench sched pipe, 4.06 µs per round trip: 2 µs per wake and switch, less two system calls and the pipe
    wakeNs: 300, // @assume try_to_wake_up: the rest of the same 2 µs
    ipiSendNs: 100, // @assume x2APIC ICR write: one serialising MSR write
    ipiLatencyNs: 260, // @assume some 800 cycles between cores of a socket
    ipiHandlerNs: 300, // @assume generic function-call handler, its queue and one cold line
    kworkerPickNs: 200, // @assume pool lock, list, pending bit: three contended lines
    queueWorkNs: 250, // @assume pending bit, pool lock, list insertion on the caller's side

    syscallNs: 127, // @source perf bench syscall basic, AMD EPYC guest, kernel 6.18
    fioPrepareNs: 180, // @assume with the next: fio's own loop does about 3 M I/Os per second and core on its null engine
    fioReapNs: 120, // @assume see above
    psyncSetupNs: 350, // @assume iomap direct I/O of one pread: dio allocation, flags, iov
    libaioSubmitNs: 250, // @assume per iocb: copy in, request allocation, ring bookkeeping
    libaioReapNs: 80, // @assume per event: copy 32 bytes out
    uringSubmitNs: 150, // @assume per SQE: 0.26 µs per polled I/O all told is the published peak (3.8 M I/Os per second and core, 2021)
    uringReapNs: 50, // @assume per CQE: shared memory, no copy
    pageMapNs: 60, // @assume per 4 KiB: pin the user page, one IOMMU-less scatterlist entry

    bioQueueNs: 500, // @source trace: Q to G minimum 0.5 µs, median 0.6 to 0.96
    requestInitNs: 240, // @source trace: G to P 0.38 µs less the trace point; blkparse on an Intel NUC (gist mdcallag/3da227ebe2): 0.24
    plugAddNs: 60, // @assume list insertion, part of G to P
    unplugNs: 150, // @source trace: P to U 0.27 µs less the trace point
    directIssueNs: 200, // @source trace: U to D 0.33 µs less the trace point
    bioMergeNs: 320, // @source trace: Q to M 0.31 to 0.33 µs, the trace point of M in it
    splitNs: 300, // @assume bio clone and chain: one mempool allocation
    schedInsertNs: 360, // @source trace: U to I 0.36 to 0.42 µs
    dispatchNoneNs: 150, // @assume list splice from the software queues
    dispatchDeadlineNs: 600, // @source trace: I to D 0.8 µs less the issue itself
    dispatchKyberNs: 700, // @source trace: I to D 0.94 µs less the issue itself
    runQueueNs: 120, // @assume srcu lock, pending test
    requeueNs: 300, // @assume two list insertions under a lock, kick of the requeue work counted apart
    completeIrqNs: 120, // @assume remote-completion test and per-CPU list insertion
    completeRequestNs: 350, // @assume half of Q to G: update, end bios, free tag
    endIoNs: 200, // @assume aio or io_uring completion posting: ring write and waitqueue test

    keyslotLookupNs: 60, // @assume two atomics on a shared cache line and a short list walk: about 130 cycles of a phone's big core
    keyslotSlowPathNs: 200, // @assume the same, exclusive, and the runtime-PM reference counts
    keyslotPutNs: 40, // @assume one atomic, and the idle list's spinlock with the last reference

    cipherUnitNs: 300, // @source calibration C.11: one cipher request inside dm-crypt 0.28 to 0.32 µs
    cipherKibNs: 241, // @source calibration C.10: AMD Zen 4, kernel AES-256-XTS with AES-NI, 4 KiB units, 4,247 MB/s

    nullQueueNs: 100, // @assume a driver that touches no hardware fills in a command and starts a timer
    nullIrqNs: 150, // @assume its handler looks up one command; both well below the host.cpu figures of real drivers

    // A UFS host on a server is a thought experiment; the figures are the phone's at this core's speed.
    ufsQueueCommandNs: 600, // @assume SCSI command, UTRD and UPIU: some 200 bytes written, 1,800 cycles
    ufsPrdtEntryNs: 15, // @assume 16 bytes written
    mmioWriteNs: 100, // @assume posted write, PCIe or on-chip
    mmioReadNs: 700, // @assume read across PCIe: 0.6 to 1 µs round trip
    ufsIsrNs: 500, // @assume handler frame without register reads and commands
    ufsCompleteNs: 300, // @assume OCS and response decoding, unmapping, per command
  },
};
