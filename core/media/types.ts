/**
 * The border between a storage device's command side (core/hosts) and its flash (this room).
 *
 * A command is named by the integer handle of its request; blocks are 4 KiB logical blocks of the device. The media marks the stages `media.wait` and `media`
 * of the command on the critical path (the flash operation that finished last); everything else (link, firmware, queues) is the host side's.
 */

/** The device side of a host controller, as the media sees it. All calls come from engine events, outside any CPU context. */
export interface MediaClient {
  /**
   * `bytes` more of a read are in the device's buffer, in the order they became ready; `last` when it was the rest. Before the call with `last`,
   * the media marks `media.wait` and `media` of `cmd` on the request's stage row up to now. With `ok` false the data could not be read (uncorrectable).
   */
  readReady(cmd: number, bytes: number, last: boolean, ok: boolean): void;
  /** Room for a write's data is reserved in the write buffer: the device may ask for it (RTT). `media.wait` is marked up to now. */
  writeGranted(cmd: number): void;
  /** A write is in the write buffer, or on flash when FUA was asked for. `media.wait`/`media` are marked up to now. */
  writeDone(cmd: number, ok: boolean): void;
  /** All that was cached before the flush is on flash. Stages marked up to now. */
  flushDone(cmd: number): void;
  /** The blocks are unmapped. Stages marked up to now. */
  discardDone(cmd: number): void;
}

export interface Media {
  /** Starts reading `blocks` 4 KiB blocks at logical block `lba`. */
  read(cmd: number, lba: number, blocks: number): void;
  /** Asks for buffer room for a write of `blocks` blocks at `lba`; answered by `writeGranted`, now or later. */
  requestWrite(cmd: number, lba: number, blocks: number): void;
  /** The data of a granted write has arrived; answered by `writeDone`. `fua`: only once programmed. */
  write(cmd: number, fua: boolean): void;
  /** SYNCHRONIZE CACHE; answered by `flushDone`. */
  flush(cmd: number): void;
  discard(cmd: number, lba: number, blocks: number): void;
  /** The host was reset: forgets commands in progress (buffered data stays; the device kept its power). */
  abortAll(): void;
  /** True while nothing is queued, programming or being collected (background write-back included). */
  isIdle(): boolean;
  /** Named counters for the summary's `device` part: pages read/programmed, erases, write amplification, SLC state, buffer use. */
  statistics(): Readonly<Record<string, number>>;
}
