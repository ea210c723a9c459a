/**
 * `phone-a76`: the Cortex-A76 cores of a phone (2.25 GHz in Google's gs101, 2.4 to 2.8 GHz in Qualcomm's of 2019 and 2020), at full clock.
 *
 * Where nothing was published for such a core, a figure is the `server-x86` one times 1.5: a big phone core runs kernel code at 1 to 1.5 times the cost of
 * a server core (assumed; lower clock, smaller caches), marked `@assume x1.5`. Little cores would be 3 to 5 times.
 *
 * Waking a task on another core: 450 + 200 + 500 + 1000 (WFI) + 1800 = 3.95 µs if that core idled for less than 2.5 ms, and 189 µs more
 * if it was powered down: at queue depth 1 with gaps of milliseconds a phone pays more for idle exit than for flash; benchmark loops never see it.
 *
 * An interrupted UFS request: entry 1500 + handler 750 + status read 700 + command 450 + completion in irq 180 + softirq 500 + completion
 * 525 + end_io 300 = 4.9 µs.
 * Check: 5 µs is what the calibration of the UFS path assumes for interrupt and softirq on a phone (server: 1.5).
 */
import type { MachineProfile } from './costs.ts';

export const PHONE_A76: MachineProfile = {
  name: 'phone-a76',
  description: 'Cortex-A76 at about 2.3 GHz, arm64 phone, cores power down when idle for 2.5 ms',
  cpus: 4,
  costs: {
    idleStates: [
      // @source Linux drivers/cpuidle/cpuidle-psci.c: architectural WFI, exit latency 1 µs, target residency 1 µs
      { name: 'WFI', minResidencyNs: 1_000, exitNs: 1_000 },
      // @source Linux arch/arm64/boot/dts/exynos/google/gs101.dtsi, state c2 of the cortex-a76 cores: min residency 2500 µs, exit 190 µs
      // (Snapdragon 845 big cores: 952 and 621 µs, sdm845.dtsi). @assume the governor always chooses right, the cluster stays up.
      { name: 'c2', minResidencyNs: 2_500_000, exitNs: 190_000 },
    ],

    hardirqEntryNs: 1_500, // @assume GICv3 acknowledge and EOI by system registers, cold caches: 2.5 x server
    softirqEntryNs: 500, // @assume 2.5 x server, for the same reason
    contextSwitchNs: 1_800, // @assume 1.8 x server: x1.5 and barriers around the translation-table switch
    wakeNs: 450, // @assume x1.5
    ipiSendNs: 200, // @assume GICv3 SGI: a system register write behind a full barrier
    ipiLatencyNs: 500, // @assume redistributor to redistributor
    ipiHandlerNs: 450, // @assume x1.5
    kworkerPickNs: 300, // @assume x1.5
    queueWorkNs: 375, // @assume x1.5

    syscallNs: 190, // @assume x1.5
    fioPrepareNs: 270, // @assume x1.5
    fioReapNs: 180, // @assume x1.5
    psyncSetupNs: 525, // @assume x1.5
    libaioSubmitNs: 375, // @assume x1.5
    libaioReapNs: 120, // @assume x1.5
    uringSubmitNs: 225, // @assume x1.5
    uringReapNs: 75, // @assume x1.5
    pageMapNs: 90, // @assume x1.5; the UFS host is I/O coherent or its cache maintenance is as cheap

    bioQueueNs: 750, // @assume x1.5
    requestInitNs: 360, // @assume x1.5
    plugAddNs: 90, // @assume x1.5
    unplugNs: 225, // @assume x1.5
    directIssueNs: 300, // @assume x1.5
    bioMergeNs: 480, // @assume x1.5
    splitNs: 450, // @assume x1.5
    schedInsertNs: 540, // @assume x1.5
    dispatchNoneNs: 225, // @assume x1.5
    dispatchDeadlineNs: 900, // @assume x1.5
    dispatchKyberNs: 1_050, // @assume x1.5
    runQueueNs: 180, // @assume x1.5
    requeueNs: 450, // @assume x1.5
    completeIrqNs: 180, // @assume x1.5
    completeRequestNs: 525, // @assume x1.5
    endIoNs: 300, // @assume x1.5

    keyslotLookupNs: 60, // @assume two atomics on a shared cache line and a short list walk: about 130 cycles of a phone's big core
    keyslotSlowPathNs: 200, // @assume the same, exclusive, and the runtime-PM reference counts
    keyslotPutNs: 40, // @assume one atomic, and the idle list's spinlock with the last reference

    cipherUnitNs: 850, // @assume the 1,900 cycles of calibration C.11 at 2.25 GHz
    cipherKibNs: 400, // @assume XTS at twice the CBC rate of a Cortex-A76 (calibration C.10: 570 kB/s per MHz, 1.28 GB/s at 2.25 GHz)

    nullQueueNs: 100, // @assume a driver that touches no hardware fills in a command and starts a timer
    nullIrqNs: 150, // @assume its handler looks up one command; both well below the host.cpu figures of real drivers

    ufsQueueCommandNs: 900, // @assume SCSI command set-up, UTRD and UPIU composition: 2,000 cycles
    ufsPrdtEntryNs: 20, // @assume 16 bytes written to uncached or coherent memory
    mmioWriteNs: 100, // @assume posted, but behind the barrier of writel()
    mmioReadNs: 700, // @assume device-nGnRE read across the interconnect into the host's slower clock domain
    ufsIsrNs: 750, // @assume x1.5
    ufsCompleteNs: 450, // @assume x1.5
  },
};
