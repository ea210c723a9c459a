/**
 * The bare event heap and what is built on it: how many events per second the engine could dispatch if they did nothing. Other benchmarks give
 * their own event rate as a share of the first figure, which makes them comparable between machines.
 *
 *   node bench/heap.ts          prints the rates, medians of five
 */
import { pathToFileURL } from 'node:url';
import { SERVER_X86 } from '../core/engine/costs/server-x86.ts';
import { Engine } from '../core/engine/engine.ts';
import { EventHeap } from '../core/engine/heap.ts';
import { Machine } from '../core/engine/machine.ts';
import { RandomStream } from '../core/engine/random.ts';

const EVENTS = 2_000_000;
const ROUNDS = 5;
/** Delays drawn in advance, so that drawing them is not measured. */
const DELAYS = 1 << 14;

function delays(): Float64Array {
  const random = new RandomStream(1, 'bench/heap');
  return Float64Array.from({ length: DELAYS }, () => 1 + random.below(100_000));
}

/** Events per second of `run`, which handles `events` of them: the median of five rounds after one to warm up. */
export function medianRate(events: number, run: () => void, rounds = ROUNDS): number {
  run();
  const rates: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    run();
    rates.push((events * 1e9) / Number(process.hrtime.bigint() - start));
  }
  return rates.toSorted((a, b) => a - b)[Math.floor(rounds / 2)];
}

/** Pop, push and dispatch to one of a few handlers, with `pending` events in the heap: events per second. */
export function bareHeapRate(pending = 1000, events = EVENTS): number {
  const table = delays();
  let handled = 0;
  const handlers = Array.from({ length: 8 }, (_, k) => (arg: number) => {
    handled += k + arg;
  });
  const rate = medianRate(events, () => {
    const heap = new EventHeap();
    for (let i = 0; i < pending; i++) heap.push(table[i % DELAYS], (i << 9) | (i & 7));
    for (let i = 0; i < events; i++) {
      const payload = heap.pop();
      handlers[payload & 7](payload >>> 9);
      heap.push(heap.poppedAtNs + table[i & (DELAYS - 1)], payload);
    }
  });
  if (handled === 0) throw new Error('bench: nothing was handled');
  return rate;
}

/** The same through `Engine.after` and `runSlice`: events per second. */
export function engineRate(pending = 1000, events = EVENTS): number {
  const table = delays();
  return medianRate(events, () => {
    const engine = new Engine(1);
    let at = 0;
    const kind: number = engine.register('again', (arg) => {
      engine.after(table[at++ & (DELAYS - 1)], kind, arg);
    });
    for (let i = 0; i < pending; i++) engine.at(table[i % DELAYS], kind, i);
    engine.runSlice(events);
  });
}

/** Bursts per second of tasks that take turns with interrupts on four CPUs: run, sleep, hardirq, softirq, wake. */
export function burstRate(events = EVENTS): number {
  return medianRate(events, () => {
    const engine = new Engine(1);
    const machine = new Machine(engine, SERVER_X86.costs, 4);
    const tasks: number[] = [];
    const soft = engine.register('soft', (task) => {
      machine.wake(machine.current, tasks[task]);
    });
    const irq = engine.register('irq', (task) => {
      machine.raiseSoftirq(machine.cpuOf(machine.current), 300, soft, task);
    });
    const device = engine.register('device', (task) => {
      machine.raiseHardirq(task % 4, 500, irq, task);
    });
    const submit: number = engine.register('submit', (task) => {
      engine.after(20_000, device, task);
      machine.sleep(machine.current, start, task);
    });
    const start: number = engine.register('start', (task) => {
      machine.run(machine.current, 1000, submit, task);
    });
    for (let i = 0; i < 32; i++) {
      tasks.push(machine.createTask(`t${i}`, i % 4, start, i));
      machine.wake(-1, tasks[i]);
    }
    engine.runSlice(events);
  });
}

function main(): void {
  const line = (what: string, rate: number, base: number): void => {
    const share = ((100 * rate) / base).toFixed(0).padStart(4);
    const ns = (1e9 / rate).toFixed(1).padStart(7);
    console.log(`${what.padEnd(34)} ${(rate / 1e6).toFixed(2).padStart(7)} M/s ${ns} ns ${share} %`);
  };
  const base = bareHeapRate();
  line('bare heap, 1,000 pending', base, base);
  line('bare heap, 100,000 pending', bareHeapRate(100_000), base);
  line('engine, 1,000 pending', engineRate(), base);
  line('engine, 30 pending', engineRate(30), base);
  line('machine, irq/softirq/task bursts', burstRate(), base);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
