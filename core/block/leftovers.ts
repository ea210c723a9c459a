/**
 * The end of a run: what is left inside the block layer, and who waits for what, as sentences and wait-for edges. Not a hot path.
 */
import type { WaitEdge } from '../engine/waits.ts';
import type { Hctx } from './hctx.ts';
import type { RequestList } from './list.ts';
import type { RequestQueue } from './queue.ts';
import { RQ_IN_FLIGHT } from './request.ts';
import type { Tags } from './tags.ts';

const NONE = -1;
/** Who holds what a request in flight waits for. */
const THE_DEVICE = 'the device';

/** See Block.checkEmpty. */
export function leftovers(q: RequestQueue): string[] {
  const left: string[] = [];
  const say = (count: number, what: string): void => {
    if (count !== 0) left.push(`block: ${count} ${what}`);
  };
  say(q.requests.inUse - (q.lld === undefined ? 0 : q.hctxs.length), 'requests not freed');
  for (const tags of tagSets(q)) {
    say(tags.used, `tags of ${tags.name} not freed`);
    say(tags.waiters, `tasks asleep for a tag of ${tags.name}`);
  }
  for (const hctx of q.hctxs) {
    say(hctx.dispatch.size, `requests on the dispatch list of hctx ${hctx.id}`);
    say(hctx.pendingInCtxs, `requests in the software queues of hctx ${hctx.id}`);
    say(hctx.flush.lists[0].size + hctx.flush.lists[1].size, `requests waiting for a flush of hctx ${hctx.id}`);
  }
  for (const hctx of q.hctxs) say(hctx.keyWaiters.size, `requests of hctx ${hctx.id} set aside for a keyslot`);
  for (const t of q.knownTasks()) say(t.plug.size, `requests on the plug of ${q.machine.name(t.x)}`);
  say(q.requeueList.size + q.flushList.size, 'requests on the requeue list');
  q.doneLists.forEach((list, cpu) => say(list.size, `completed requests not ended on CPU ${cpu}`));
  say(q.frozenOut.size, 'bios waiting for the thaw');
  say(q.usage, 'references to the queue');
  const failedPlusDone = q.counters.bytesCompleted + q.counters.bytesFailed;
  if (failedPlusDone !== q.counters.bytesQueued)
    left.push(`block: ${q.counters.bytesQueued} bytes queued, but ${failedPlusDone} bytes ended`);
  return [...left, ...(q.scheduler?.checkEmpty() ?? [])];
}

/** Every set of tags once (hardware queues may share one). */
function tagSets(q: RequestQueue): Tags[] {
  const sets = new Set<Tags>();
  for (const hctx of q.hctxs) {
    sets.add(hctx.tags);
    if (hctx.schedTags !== undefined) sets.add(hctx.schedTags);
  }
  return [...sets];
}

/** See Block.reportWaits: sleeping bios first, then requests on lists, then requests at the device. */
export function reportWaits(q: RequestQueue, add: (edge: WaitEdge) => void): void {
  for (const tags of tagSets(q))
    for (const x of tags.sleepers()) addSleeper(q, add, x, `tag of ${tags.name}`, holders(q, tags));
  for (let i = 0; i < q.frozenOut.size; i++)
    addSleeper(q, add, q.frozenOut.at(i), 'the thaw of the queue', freezerNames(q));
  for (let i = 0; i < q.freezers.size; i++)
    add({
      waiter: q.machine.name(q.freezers.at(i)),
      resource: 'the drain of the frozen queue',
      holders: allRequests(q),
    });
  for (const hctx of q.hctxs) addListed(q, add, hctx);
  for (const rq of each(q, q.requeueList)) add({ waiter: q.requestName(rq), resource: 'requeue', holders: [] });
  for (const t of q.knownTasks())
    for (const rq of each(q, t.plug))
      add({ waiter: q.requestName(rq), resource: 'the plug', holders: [q.machine.name(t.x)] });
  for (const { keyRq } of q.knownTasks())
    if (keyRq !== NONE) add({ waiter: q.requestName(keyRq), resource: keyslotFor(q, keyRq), holders: slotHolders(q) });
  for (const waiter of requestNames(q, (rq) => q.requests.state[rq] === RQ_IN_FLIGHT))
    add({ waiter, resource: 'its completion', holders: [THE_DEVICE] });
}

function addSleeper(q: RequestQueue, add: (edge: WaitEdge) => void, x: number, resource: string, held: string[]): void {
  const bio = q.bioName(q.task(x).bio);
  add({ waiter: q.machine.name(x), resource: 'the submission of its bio', holders: [bio] });
  add({ waiter: bio, resource, holders: held });
}

function addListed(q: RequestQueue, add: (edge: WaitEdge) => void, hctx: Hctx): void {
  const flying = requestNames(q, (rq) => q.requests.hctx[rq] === hctx.id && q.requests.state[rq] === RQ_IN_FLIGHT);
  for (const rq of each(q, hctx.dispatch)) {
    const isBlocked = hctx.blockedBy !== NONE;
    const resource = rq === hctx.blockedBy ? keyslotFor(q, rq) : `dispatch on hctx ${hctx.id}`;
    const behind = isBlocked && rq !== hctx.blockedBy ? [q.requestName(hctx.blockedBy)] : flying;
    add({ waiter: q.requestName(rq), resource, holders: rq === hctx.blockedBy ? slotHolders(q) : behind });
  }
  for (const rq of each(q, hctx.keyWaiters))
    add({ waiter: q.requestName(rq), resource: keyslotFor(q, rq), holders: slotHolders(q) });
  for (const ctx of hctx.ctxs)
    for (const rq of each(q, ctx.list))
      add({ waiter: q.requestName(rq), resource: `a run of hctx ${hctx.id}`, holders: flying });
  const isListed = new Set([...each(q, hctx.dispatch), ...each(q, hctx.keyWaiters)]);
  for (let rq = 0; rq < q.requests.highWater; rq++)
    if (q.requests.hctx[rq] === hctx.id && isQueuedInScheduler(q, rq) && !isListed.has(rq))
      add({ waiter: q.requestName(rq), resource: `its turn in the scheduler of hctx ${hctx.id}`, holders: flying });
  const { flush } = hctx;
  for (const list of flush.lists)
    for (let i = 0; i < list.size; i++)
      add({ waiter: q.requestName(list.at(i)), resource: 'flush', holders: [q.requestName(flush.request)] });
}

function keyslotFor(q: RequestQueue, rq: number): string {
  return `a keyslot for key ${q.requests.keyId[rq]}`;
}

/** See Block.keyslotHolders. */
export function keyslotHolders(q: RequestQueue, slot: number): string[] {
  return requestNames(q, (rq) => q.requests.keyslot[rq] === slot);
}

function slotHolders(q: RequestQueue): string[] {
  return requestNames(q, (rq) => q.requests.keyslot[rq] >= 0);
}

/** It has a scheduler tag and nothing more: no driver tag, and no part in a flush sequence. */
function isQueuedInScheduler(q: RequestQueue, rq: number): boolean {
  const { schedTag, tag, flushSeq, isFlushRq } = q.requests;
  return schedTag[rq] >= 0 && tag[rq] < 0 && flushSeq[rq] === 0 && isFlushRq[rq] === 0;
}

function each(q: RequestQueue, list: RequestList): number[] {
  const all: number[] = [];
  for (let rq = list.head; rq !== NONE; rq = q.requests.next[rq]) all.push(rq);
  return all;
}

function holders(q: RequestQueue, tags: Tags): string[] {
  return requestNames(q, (rq) => {
    const hctx = q.hctxs[q.requests.hctx[rq]];
    return (hctx.tags === tags && q.requests.tag[rq] >= 0) || (hctx.schedTags === tags && q.requests.schedTag[rq] >= 0);
  });
}

function allRequests(q: RequestQueue): string[] {
  return requestNames(q, (rq) => q.requests.tag[rq] >= 0 || q.requests.schedTag[rq] >= 0);
}

/** Requests by handle; a freed row has neither tag nor state. */
function requestNames(q: RequestQueue, wanted: (rq: number) => boolean): string[] {
  const names: string[] = [];
  for (let rq = 0; rq < q.requests.highWater; rq++) if (wanted(rq)) names.push(q.requestName(rq));
  return names;
}

function freezerNames(q: RequestQueue): string[] {
  return Array.from({ length: q.freezers.size }, (_, i) => q.machine.name(q.freezers.at(i)));
}
