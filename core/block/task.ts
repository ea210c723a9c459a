/**
 * What one context is in the middle of: its plug, the bio it submits, the flush of its plug, the issue and the dispatch it carries out. A context has at most
 * one of each at a time: dispatch may happen within a plug flush, and that within a submission, but none within itself.
 */
import { RequestList } from './list.ts';
import type { RequestTable } from './request.ts';
import { STS_OK } from './types.ts';

const NONE = -1;

/** Who issues a request, and goes on with the driver's answer: a submission, the flush of a plug, a dispatch. */
export const ISSUER_SINGLE = 0;
export const ISSUER_PLUG = 1;
export const ISSUER_DISPATCH = 2;

export class TaskState {
  readonly x: number;

  // submission (submit.ts)
  bio = NONE;
  /** The submitter put laps before the submission: Q is when the last of them is over. */
  hasLead = false;
  /** The rest of a split bio, submitted next. */
  rest = NONE;
  /** The request it became, while that waits for room on the plug. */
  rq = NONE;
  /** The first try for a tag failed: from there to G is `wait.tag`. */
  waitsForTag = false;
  sleptForTag = false;

  // keyslot (crypto-submit.ts, crypto-dispatch.ts)
  /** The request that the profile is asked for a slot for; its waits are accounted to it. */
  keyRq = NONE;
  /** The slot that the bio got before its tag, and when. */
  keyslot = NONE;
  keyslotNs = 0;

  // plug (plug.ts)
  plugDepth = 0;
  /** The plug was opened for this one bio. */
  implicitPlug = false;
  readonly plug: RequestList;
  /** Flush in progress: what is still to be issued or inserted, on which hctx it is, how many the driver took since its last commit. */
  readonly flushing: RequestList;
  flushHctx = NONE;
  flushQueued = 0;

  // issue (issue.ts)
  issueRq = NONE;
  issueHctx = NONE;
  issueLast = false;
  /** The block layer's part of the issue is a lap of the driver's burst. */
  issueLead = false;
  issueStatus = STS_OK;
  /** The burst of an issue that waits for its key to be programmed. */
  issueCostNs = 0;
  /** ISSUER_*: who goes on after queueRqDone. */
  issuer = ISSUER_SINGLE;

  // dispatch of a hardware queue (dispatch.ts)
  hctx = NONE;
  phase = 0;
  again = false;
  oneByOne = false;
  /** Pulled from the scheduler for several hardware queues, and the part being issued. */
  readonly pulled: RequestList;
  readonly list: RequestList;
  listHctx = NONE;
  listQueued = 0;
  needsResource = false;
  anyDrained = false;
  startedNs = 0;
  /** Next hardware queue of a synchronous run of all. */
  nextHctx = 0;

  constructor(x: number, requests: RequestTable) {
    this.x = x;
    this.plug = new RequestList(requests);
    this.flushing = new RequestList(requests);
    this.pulled = new RequestList(requests);
    this.list = new RequestList(requests);
  }
}
