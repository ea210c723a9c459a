/** What the UFS driver needs of the block layer: the part of `Block` it calls and the columns of the request table it reads and writes. */
import type { StageRows } from '../../trace/stages.ts';

export interface UfsRequests {
  readonly rows: StageRows;
  op: Int32Array;
  flags: Int32Array;
  sector: Float64Array;
  bytes: Float64Array;
  segments: Int32Array;
  hctx: Int32Array;
  tag: Int32Array;
  /** Keyslot of the crypto profile, negative for none. */
  keyslot: Int32Array;
  keyId: Int32Array;
  /** First data unit numbers: rows of core/crypto/dun.ts. */
  dun: Uint32Array;
  dataUnitSize: Int32Array;
  deviceNs: Float64Array;
  io: Int32Array;
}

export interface UfsBlock {
  readonly requests: UfsRequests;
  startRequest(rq: number): void;
  queueRqDone(x: number, rq: number, status: number): void;
  completeRequest(x: number, rq: number, status: number): void;
  requeueRequest(x: number, rq: number, delayNs: number): void;
  runHwQueues(x: number, async: boolean): void;
}
