/**
 * The cost table of a machine profile: how long the steps of the I/O path keep a CPU busy, and what switching between contexts costs. All values are integer
 * nanoseconds. Each profile (`phone-a76.ts`, `server-x86.ts`) gives every number its source or says that it is assumed; users
 * may override any of them (`machine.costs` of the definition).
 */
export interface IdleState {
  readonly name: string;
  /** A CPU that has been idle at least this long is in this state. */
  readonly minResidencyNs: number;
  /** What leaving it costs before anything runs. */
  readonly exitNs: number;
}

export interface MachineCosts {
  readonly idleStates: readonly IdleState[];

  // contexts
  readonly hardirqEntryNs: number; // vector entry, irq core, EOI
  readonly softirqEntryNs: number; // leaving hardirq into softirq processing, per item batch
  readonly contextSwitchNs: number; // switching to another task on a CPU
  readonly wakeNs: number; // what the waker burns in try_to_wake_up
  readonly ipiSendNs: number; // what the sender burns
  readonly ipiLatencyNs: number; // until it arrives
  readonly ipiHandlerNs: number; // generic function-call handler on the target
  readonly kworkerPickNs: number; // a worker finding its next work item
  readonly queueWorkNs: number; // queue_work() on the caller's side

  // submitters
  readonly syscallNs: number; // entry and exit of a trivial system call
  readonly fioPrepareNs: number; // user space: one I/O of the load generator
  readonly fioReapNs: number; // user space: account one completed I/O
  readonly psyncSetupNs: number; // direct I/O set-up of one pread/pwrite
  readonly libaioSubmitNs: number; // per iocb in io_submit
  readonly libaioReapNs: number; // per event in io_getevents
  readonly uringSubmitNs: number; // per SQE
  readonly uringReapNs: number; // per CQE
  readonly pageMapNs: number; // per 4 KiB page: pin and map for DMA

  // block layer
  readonly bioQueueNs: number; // submit_bio checks, split test, merge attempts, up to the tag (Q to G)
  readonly requestInitNs: number; // G to plug or issue: bio to request, accounting
  readonly plugAddNs: number; // adding to the plug
  readonly unplugNs: number; // flushing the plug, per flush
  readonly directIssueNs: number; // per request issued directly (U to D), driver's own cost not counted
  readonly bioMergeNs: number; // Q to M
  readonly splitNs: number; // per split
  readonly schedInsertNs: number; // per request inserted (U to I)
  readonly dispatchNoneNs: number; // per request taken from ctx lists
  readonly dispatchDeadlineNs: number; // per request picked by mq-deadline
  readonly dispatchKyberNs: number; // per request picked by kyber
  readonly runQueueNs: number; // one run of a hardware queue that finds nothing or starts dispatching
  readonly requeueNs: number; // per requeued request
  readonly completeIrqNs: number; // driver-side completion bookkeeping in irq, per request: blk_mq_complete_request
  readonly completeRequestNs: number; // per request: update, end bios, free, restart check
  readonly endIoNs: number; // per bio: end_io of the submitter (aio/io_uring completion posting)

  // crypto profile
  readonly keyslotLookupNs: number; // lock for reading, hash look-up, reference
  readonly keyslotSlowPathNs: number; // one round of the slow path: lock for writing, second look, without resume and programming
  readonly keyslotPutNs: number; // giving a reference back

  // software ciphers (blk-crypto-fallback)
  readonly cipherUnitNs: number; // per data unit: request set-up, call of the cipher, IV
  readonly cipherKibNs: number; // per KiB of AES-256-XTS on this core, on top; other modes are multiples of it

  // null driver
  readonly nullQueueNs: number; // handing one request over
  readonly nullIrqNs: number; // interrupt handler, per completion

  // UFS driver
  readonly ufsQueueCommandNs: number; // SCSI command set-up and UTRD/UPIU composition, per command
  readonly ufsPrdtEntryNs: number; // per PRDT entry
  readonly mmioWriteNs: number; // posted register write
  readonly mmioReadNs: number; // register read (stalls)
  readonly ufsIsrNs: number; // interrupt handler without per-command work
  readonly ufsCompleteNs: number; // per completed command in the handler
}

export interface MachineProfile {
  readonly name: string;
  readonly description: string;
  readonly cpus: number;
  readonly costs: MachineCosts;
}
