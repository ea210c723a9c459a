/**
 * The block layer alone: requests per second from submission to the end of the bio, with a driver that costs nothing and a device of fixed latency, in a closed
 * loop of depth 32 without a scheduler, at detail `summary`. Everything under it (engine, CPU model) is included.
 *
 *   node bench/block.ts         prints wall ns per request, the median of five
 */
import { pathToFileURL } from 'node:url';
import { Block } from '../core/block/block.ts';
import { TEST_LIMITS } from '../core/block/testing.ts';
import { SERVER_X86 } from '../core/engine/costs/server-x86.ts';
import { Engine } from '../core/engine/engine.ts';
import { Machine } from '../core/engine/machine.ts';
import { Workqueues } from '../core/engine/workqueue.ts';
import { NO_GAUGES, NO_LOG } from '../core/trace/log.ts';
import { medianRate } from './heap.ts';

const DEPTH = 32;
const LATENCY_NS = 100_000;

/** Runs `count` random 4 KiB reads through a fresh stack and returns the events that took. */
export function runReads(count: number): number {
  const engine = new Engine(1);
  const machine = new Machine(engine, SERVER_X86.costs, 4);
  const workqueues = new Workqueues(engine, machine);
  const env = { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES };
  const block = new Block(env, { limits: TEST_LIMITS, queueDepth: DEPTH, hwQueues: 1, plugPerBio: false });
  const irqKind = engine.register('bench.irq', (rq) => block.completeRequest(machine.current, rq, 0));
  const doneKind = engine.register('bench.done', (rq) => machine.raiseHardirq(0, 0, irqKind, rq));
  block.attach({
    queueRq(x, rq) {
      block.startRequest(rq);
      engine.after(LATENCY_NS, doneKind, rq);
      block.queueRqDone(x, rq, 0);
    },
    timeout: () => true,
  });
  const { bios } = block;
  let submitted = 0;
  let pending = 0;
  let isAsleep = false;
  const endKind = engine.register('bench.end', (bio) => {
    bios.release(bio);
    pending--;
    if (!isAsleep) return;
    isAsleep = false;
    machine.wake(machine.current, task);
  });
  const stepKind = engine.register('bench.step', (x) => {
    if (submitted === count) {
      machine.exit(x);
      return;
    }
    if (pending === DEPTH) {
      isAsleep = true;
      machine.sleep(x, stepKind, x);
      return;
    }
    pending++;
    const bio = bios.alloc();
    bios.sector[bio] = ((submitted++ * 7919) % 1_000_003) * 8;
    bios.bytes[bio] = 4096;
    bios.segments[bio] = 1;
    bios.endKind[bio] = endKind;
    bios.rows.start(bio, engine.now);
    machine.pushReturn(x, stepKind, x);
    block.submitBio(x, bio);
  });
  const task = machine.createTask('bench', 0, stepKind);
  machine.wake(-1, task);
  while (engine.runSlice(1_000_000));
  const left = block.checkEmpty();
  if (left.length > 0) throw new Error(left.join('; '));
  return engine.events;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const requests = 300_000;
  const rate = medianRate(requests, () => runReads(requests));
  const eventsPerRequest = runReads(10_000) / 10_000;
  console.log(`block layer: ${(1e9 / rate).toFixed(0)} ns and ${eventsPerRequest.toFixed(2)} events per request`);
}
