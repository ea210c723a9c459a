/** Statistics of a run against a reference that keeps every I/O and sorts. */
import { describe, expect, it } from 'vitest';
import { stageIndex, STAGE_STRIDE, type StageId } from '../trace/stages.ts';
import { DDIR_NAMES, IoTable } from '../workload/io.ts';
import { Statistics } from './statistics.ts';

const STAGES: readonly StageId[] = ['submit', 'wait.tag', 'link', 'media'];
const JOB_NAMES = ['app', 'app', 'log'];

interface Io {
  readonly job: number;
  readonly ddir: number;
  readonly sizeBytes: number;
  readonly submitNs: number;
  readonly stageNs: readonly number[];
}

const totalOf = (io: Io): number => io.stageNs.reduce((sum, ns) => sum + ns, 0);

/** I/Os of all kinds: stages that take the same time for long, that are rarely there, that vary over four powers of ten. */
function someIos(count: number): Io[] {
  let state = 1;
  const draw = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647; // the minimal standard generator
    return state % below;
  };
  return Array.from({ length: count }, (_, i) => ({
    job: draw(3),
    ddir: draw(2),
    sizeBytes: 4096 * (1 + draw(16)),
    submitNs: 1000 * i + draw(500),
    stageNs: [
      1200 + (i >> 8),
      draw(50) === 0 ? draw(1_000_000) : 0,
      draw(10) < 8 ? 3400 : 3500,
      10 ** draw(4) * (1 + draw(99)),
    ],
  }));
}

function counted(ios: readonly Io[]): Statistics {
  const statistics = new Statistics(STAGES, JOB_NAMES);
  countInto(statistics, ios);
  return statistics;
}

function countInto(statistics: Statistics, ios: readonly Io[]): void {
  const table = new IoTable(4);
  const live = STAGES.map(stageIndex);
  for (const io of ios) {
    const handle = table.alloc();
    table.job[handle] = io.job;
    table.ddir[handle] = io.ddir;
    table.sizeBytes[handle] = io.sizeBytes;
    table.submitNs[handle] = io.submitNs;
    table.completeNs[handle] = io.submitNs + totalOf(io);
    table.rows.start(handle, io.submitNs);
    io.stageNs.forEach((ns, s) => (table.rows.ns[handle * STAGE_STRIDE + live[s]] = ns));
    statistics.count(table, handle);
    table.free(handle);
  }
}

/** The sample below which `p` percent lie, by sorting (nearest rank). */
function rankOf(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Within the error bound of the histogram: 1/256 of the sample. */
function expectWithinBucket(actual: number | null | undefined, expected: number): void {
  expect(Math.abs((actual ?? NaN) - expected)).toBeLessThanOrEqual(expected / 256 + 1);
}

describe('statistics of a run', () => {
  const ios = someIos(12_000);
  const statistics = counted(ios);

  it.each(['app', 'log'])('count I/Os, bytes and latencies of job %s, clones of one name together', (name) => {
    const jobs = statistics.jobs();
    for (const ddir of [0, 1]) {
      const own = ios.filter((io) => JOB_NAMES[io.job] === name && io.ddir === ddir);
      const latencies = own.map(totalOf);
      const direction = jobs[name][DDIR_NAMES[ddir]];
      expect(direction?.ios).toBe(own.length);
      expect(direction?.bytes).toBe(own.reduce((sum, io) => sum + io.sizeBytes, 0));
      expect(direction?.latNs.min).toBe(Math.min(...latencies));
      expect(direction?.latNs.max).toBe(Math.max(...latencies));
      expect(direction?.latNs.mean).toBeCloseTo(mean(latencies), 3);
      const variance = mean(latencies.map((ns) => (ns - mean(latencies)) ** 2));
      expect((direction?.latNs.stddev ?? 0) / Math.sqrt(variance)).toBeCloseTo(1, 2);
      expectWithinBucket(direction?.latNs.p50, rankOf(latencies, 50));
      expectWithinBucket(direction?.latNs.p95, rankOf(latencies, 95));
      expectWithinBucket(direction?.latNs.p99, rankOf(latencies, 99));
    }
  });

  it('give rates over the time from the first submission of a job to its last completion, in both directions alike', () => {
    const own = ios.filter((io) => JOB_NAMES[io.job] === 'app');
    const fromNs = Math.min(...own.map((io) => io.submitNs));
    const toNs = Math.max(...own.map((io) => io.submitNs + totalOf(io)));
    const { read, write } = statistics.jobs().app;
    for (const [ddir, direction] of [read, write].entries()) {
      const same = own.filter((io) => io.ddir === ddir);
      expect(direction?.iops).toBeCloseTo((same.length * 1e9) / (toNs - fromNs), 6);
      const bytes = same.reduce((sum, io) => sum + io.sizeBytes, 0);
      expect(direction?.bwBytes).toBeCloseTo((bytes * 1e9) / (toNs - fromNs), 3);
    }
  });

  it('give mean, share and p99 of every stage, absence counted as no time', () => {
    const stages = statistics.stageSummaries();
    const all = ios.reduce((sum, io) => sum + totalOf(io), 0);
    STAGES.forEach((id, s) => {
      const values = ios.map((io) => io.stageNs[s]);
      expect(stages[id].meanNs).toBeCloseTo(mean(values), 6);
      expect(stages[id].share).toBeCloseTo((mean(values) * ios.length) / all, 9);
      expectWithinBucket(stages[id].p99Ns, rankOf(values, 99));
    });
    expect(Object.values(stages).reduce((sum, stage) => sum + stage.share, 0)).toBeCloseTo(1, 9);
  });

  it('say the same when asked twice, and when asked in between', () => {
    const asked = new Statistics(STAGES, JOB_NAMES);
    countInto(asked, ios.slice(0, 2500));
    asked.stageSummaries();
    asked.jobs();
    countInto(asked, ios.slice(2500));
    expect(asked.stageSummaries()).toEqual(statistics.stageSummaries());
    expect(asked.stageSummaries()).toEqual(statistics.stageSummaries());
    expect(asked.jobs()).toEqual(statistics.jobs());
  });

  it('leave out percentiles that rest on fewer than ten samples beyond', () => {
    const few = counted(ios.slice(0, 900)).stageSummaries();
    expect(few.link.p99Ns).toBeNull();
    const { latNs } = counted(ios.slice(0, 1).map((io) => ({ ...io, job: 2, ddir: 0 }))).jobs().log.read ?? {};
    expect(latNs).toMatchObject({ p50: null, p99: null, p99_99: null, stddev: 0, min: totalOf(ios[0]) });
  });

  it('say of a job that did nothing that it did nothing, and of a run without I/Os that its stages took no time', () => {
    const empty = new Statistics(STAGES, JOB_NAMES);
    expect(empty.jobs()).toEqual({ app: {}, log: {} });
    expect(empty.stageSummaries().link).toEqual({ meanNs: 0, share: 0, p99Ns: null });
  });

  it('give the median of what completed since asked last, and not a number when nothing did', () => {
    const recent = counted(ios.slice(0, 1000));
    expectWithinBucket(recent.takeRecent().p50Ns, rankOf(ios.slice(0, 1000).map(totalOf), 50));
    expect(recent.takeRecent()).toEqual({ p50Ns: NaN, p99Ns: NaN });
    countInto(recent, ios.slice(1000, 1100));
    expectWithinBucket(recent.takeRecent().p50Ns, rankOf(ios.slice(1000, 1100).map(totalOf), 50));
  });
});
