/**
 * How the times of a flash operation become stages of the command that waited for it: `media.wait` while the operation stood in the queue of its die or of its channel,
 * `media` while the array or the channel worked. Only the operation that ended last is marked (the critical path); what lies before the command's last
 * mark is not counted twice. The time a program stood suspended counts as `media` (`@assume`: a flush waits for it all the same).
 */
import { ST_MEDIA, ST_MEDIA_WAIT, type StageRows } from '../trace/stages.ts';
import type { FlashOps } from './flash-ops.ts';

/** An array read that ended at `nowNs`: wait for the die, sense, wait for the channel, transfer. */
export function markRead(rows: StageRows, cmd: number, ops: FlashOps, op: number, nowNs: number): void {
  markUpTo(rows, cmd, ST_MEDIA_WAIT, ops.startNs[op]);
  markUpTo(rows, cmd, ST_MEDIA, ops.sensedNs[op]);
  markUpTo(rows, cmd, ST_MEDIA_WAIT, ops.busNs[op]);
  rows.mark(cmd, ST_MEDIA, nowNs);
}

/** A program that ended at `nowNs`: wait for die and channel, then transfer and burn. */
export function markProgram(rows: StageRows, cmd: number, ops: FlashOps, op: number, nowNs: number): void {
  markUpTo(rows, cmd, ST_MEDIA_WAIT, ops.busNs[op]);
  rows.mark(cmd, ST_MEDIA, nowNs);
}

function markUpTo(rows: StageRows, cmd: number, stage: number, untilNs: number): void {
  if (untilNs > rows.lastNs[cmd]) rows.mark(cmd, stage, untilNs);
}
