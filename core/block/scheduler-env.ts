/** What the block layer lends its scheduler: see SchedulerEnv. */
import { ST_WAIT_SCHED } from '../trace/stages.ts';
import { kickHwQueue } from './dispatch.ts';
import { areRequestsMergeable, mergeBio, mergeRequests, touch } from './merge.ts';
import type { RequestQueue } from './queue.ts';
import type { SchedulerEnv } from './scheduler.ts';

export function schedulerEnv(q: RequestQueue): SchedulerEnv {
  return {
    engine: q.engine,
    machine: q.machine,
    log: q.log,
    bios: q.bios,
    requests: q.requests,
    limits: q.limits,
    hwQueues: q.config.hwQueues,
    nrRequests: q.nrRequests,
    nomerges: q.nomerges,
    hctxOfCpu: (cpu) => q.hctxOfCpu[cpu],
    runHwQueue: (hctx) => kickHwQueue(q, q.machine.current, q.hctxs[hctx], 0),
    inserted: (rq) => {
      q.requests.insertedNs[rq] = q.engine.now;
      if (q.log.on) q.event('request.inserted', q.requests.serial[rq], q.requests.hctx[rq]);
    },
    touch: (rq, bio) => touch(q, rq, bio),
    mergeBio: (rq, bio) => mergeBio(q, rq, bio, ST_WAIT_SCHED),
    requestsMergeable: (rq, next) => areRequestsMergeable(q, rq, next),
    mergeRequests: (rq, next) => mergeRequests(q, rq, next),
  };
}
