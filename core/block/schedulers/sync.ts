/** Which operations somebody waits for: reads always, others when they are marked so. @kernel include/linux/blk_types.h op_is_sync */
import { OP_READ, REQ_FUA, REQ_PREFLUSH, REQ_SYNC } from '../types.ts';

export function isSync(op: number, flags: number): boolean {
  return op === OP_READ || (flags & (REQ_SYNC | REQ_FUA | REQ_PREFLUSH)) !== 0;
}
