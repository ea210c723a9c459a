/** A run worker with a made-up run: known rows at a known pace, or a given misfortune. For tests of what surrounds a run. */
import type { RunObject, RunOutcome } from '../../../core/experiment/run-port.ts';
import { BATCH_ROWS, liveColumns, type BatchSink } from '../../../core/trace/schema.ts';
import { driveRun } from '../../../main/workers/run-loop.ts';

export interface FakeExperiment {
  readonly seed: number;
  readonly run: { readonly repeats: number };
  /** Rows of `io` in all. */
  readonly rows: number;
  /** What happens when they are written. */
  readonly then: 'done' | 'deadlock' | 'crash' | 'endless' | 'exit';
}

const STAGES = ['submit', 'media'] as const;
const NAMES = liveColumns('io', STAGES).map((column) => column.name);

/** The values of row `i`, by column. */
function value(name: string, i: number): number {
  switch (name) {
    case 'io_id':
      return i;
    case 'job':
    case 'op':
    case 'status':
      return { job: 0, op: 1, status: 2 }[name];
    case 'key_id':
      return NaN;
    case 'submit_ns':
      return i * 1000;
    case 'complete_ns':
      return i * 1000 + totalNs(i);
    case 'total_ns':
      return totalNs(i);
    case 'st_submit_ns':
      return 10;
    case 'st_media_ns':
      return totalNs(i) - 10;
    default:
      return 4096;
  }
}

function totalNs(i: number): number {
  return 100 + ((i * 7919) % 100_003);
}

function createRun(experiment: FakeExperiment, sink: BatchSink): RunObject {
  let rows = 0;
  return {
    stages: STAGES,
    slice: () => {
      if (rows >= experiment.rows) return misfortune(experiment.then);
      const n = Math.min(BATCH_ROWS, experiment.rows - rows);
      const first = rows;
      rows += n;
      const columns = NAMES.map((name) => Float64Array.from({ length: n }, (_v, i) => value(name, first + i)));
      sink({ table: 'io', rows: n, names: NAMES, columns, texts: ['app', 'read', 'ok'] });
      return rows < experiment.rows || experiment.then !== 'done';
    },
    snapshot: () => ({
      simNs: rows * 1000,
      fraction: rows / experiment.rows,
      events: rows,
      ios: rows,
      requests: 0,
      inFlight: 0,
      p50Ns: NaN,
      p99Ns: NaN,
    }),
    finish: () => outcome(experiment, rows),
  };
}

function misfortune(then: FakeExperiment['then']): boolean {
  if (then === 'crash') throw new Error('the model broke down');
  if (then === 'exit') process.exit(7);
  return then === 'endless';
}

function outcome(experiment: FakeExperiment, ios: number): RunOutcome {
  const isDeadlock = experiment.then === 'deadlock';
  return {
    run: {
      id: null,
      name: 'fake',
      seed: experiment.seed,
      status: isDeadlock ? 'deadlock' : 'done',
      simNs: ios * 1000,
      wallMs: 0,
      events: ios,
      ios,
      requests: 0,
      traceHash: `hash-${experiment.seed}`,
    },
    jobs: {},
    stages: {},
    keyslots: { slots: 0, programs: 0, hits: 0, evictions: 0, waits: 0, waitNs: 0 },
    block: { bios: 0, requests: 0, merges: 0, splits: 0, requeues: 0, tagWaits: 0, flushes: 0 },
    cpu: { busyShare: [], contextSwitches: 0, interrupts: 0, softirqs: 0, wakeups: 0 },
    device: {},
    crypto: {},
    dm: {},
    deadlock: isDeadlock ? { chain: ['a waits for b'], lastEvents: [] } : null,
    violations: [],
  };
}

driveRun(createRun);
