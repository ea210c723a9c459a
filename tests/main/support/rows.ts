/** Rows for tests of the store: a batch of `io` with known values, and a project with one run in it. */
import { liveColumns, type TraceBatch } from '../../../core/trace/schema.ts';
import type { StoreWriter } from '../../../main/store/writer.ts';

export const TEST_STAGES = ['submit', 'wait.tag', 'media'] as const;

/** Columns of the batches below. */
export const IO_NAMES = liveColumns('io', TEST_STAGES).map((column) => column.name);

/** A total latency that is neither sorted nor repeated too soon. */
export function totalNs(i: number): number {
  return 100 + ((i * 7919) % 1_000_003);
}

/** `n` rows of `io` from number `first` on. */
export function ioBatch(first: number, n: number, job = 'app'): TraceBatch {
  const values: Readonly<Record<string, (i: number) => number>> = {
    io_id: (i) => i,
    job: () => 0,
    op: (i) => 1 + (i % 2),
    offset_bytes: (i) => i * 4096,
    size_bytes: () => 4096,
    key_id: () => NaN,
    status: () => -1,
    submit_ns: (i) => i * 1000,
    complete_ns: (i) => i * 1000 + totalNs(i),
    total_ns: totalNs,
    st_submit_ns: () => 40,
    st_wait_tag_ns: () => 0,
    st_media_ns: (i) => totalNs(i) - 40,
  };
  const columns = IO_NAMES.map((name) =>
    Float64Array.from({ length: n }, (_v, i) => (values[name] ?? (() => 1))(first + i)),
  );
  return { table: 'io', rows: n, names: IO_NAMES, columns, texts: [job, 'read', 'write'] };
}

/** An experiment and a run in an open project, ready for rows. Returns the run's id. */
export function beginRun(writer: StoreWriter, name = 'test'): number {
  const experiment = writer.savedExperiment(name, { name }, '2026-01-01T00:00:00.000Z');
  const runId = writer.createRun({
    experimentId: experiment.id,
    seed: 1,
    repeat: 1,
    definition: { name },
    startedAt: '2026-01-01T00:00:00.000Z',
    appVersion: '0.0.0',
  });
  writer.beginRows(runId);
  return runId;
}

/** Writes `rows` rows of `io` into a run. */
export function writeRows(writer: StoreWriter, rows: number, job?: string): void {
  const step = 4096;
  for (let first = 0; first < rows; first += step) writer.writeRows(ioBatch(first, Math.min(step, rows - first), job));
  writer.finishRows();
}

/** Ends a run as done, without a summary. */
export function endRun(writer: StoreWriter, runId: number): void {
  writer.endRun({ runId, status: 'done', wallMs: 1, summary: null, message: null });
}
