/**
 * For specs of definitions and of whole runs: runs a definition in this thread and keeps its rows, and checks what must hold between the rows of any run, whatever was run.
 *
 * The checks are made from the outside, from the tables that users get, and share no code with the checks that a run makes on itself.
 */
import type { TraceBatch, TraceTable } from '../trace/schema.ts';
import { createRun } from './run.ts';
import type { RunSummary } from './summary.ts';
import type { ValidExperiment } from './definition.ts';
import type { Problem } from './problem.ts';
import { validateDefinition } from './validate.ts';

/** All rows of one table. */
export class Rows {
  rows = 0;
  private readonly parts = new Map<string, Float64Array[]>();
  private texts: readonly string[] = [];

  add(batch: TraceBatch): void {
    this.rows += batch.rows;
    this.texts = batch.texts;
    batch.names.forEach((name, i) => {
      const parts = this.parts.get(name) ?? [];
      parts.push(batch.columns[i].subarray(0, batch.rows));
      this.parts.set(name, parts);
    });
  }

  get names(): readonly string[] {
    return [...this.parts.keys()];
  }

  /** Values of a column; NaN for NULL (everywhere when the run left the column out). */
  column(name: string): Float64Array<ArrayBuffer> {
    const all = new Float64Array(this.rows).fill(NaN);
    let at = 0;
    for (const part of this.parts.get(name) ?? []) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  /** The texts that text columns index. */
  get allTexts(): readonly string[] {
    return this.texts;
  }

  /** Texts of a text column; empty for NULL. */
  text(name: string): string[] {
    return Array.from(this.column(name), (index) => this.texts[index] ?? '');
  }
}

export interface FinishedRun {
  readonly experiment: ValidExperiment;
  readonly summary: RunSummary;
  readonly io: Rows;
  readonly request: Rows;
  /** Rows by table, of all tables. */
  readonly tables: ReadonlyMap<TraceTable, Rows>;
}

/** The experiment of a definition; throws with all problems when it has an error. */
export function validExperiment(definition: unknown): ValidExperiment {
  const { experiment, problems } = validateDefinition(definition);
  if (experiment === undefined) throw new Error(problems.map((p) => `${p.path} ${p.message}`).join('; '));
  return experiment;
}

/** Runs a definition to its end, `sliceEvents` at a time. */
export function runDefinition(definition: unknown, sliceEvents = 100_000): FinishedRun {
  const experiment = validExperiment(definition);
  const tables = new Map<TraceTable, Rows>();
  const rowsOf = (table: TraceTable): Rows => {
    const rows = tables.get(table) ?? new Rows();
    tables.set(table, rows);
    return rows;
  };
  const run = createRun(experiment, (batch) => {
    rowsOf(batch.table).add(batch);
  });
  while (run.slice(sliceEvents));
  const summary = run.finish(false);
  return { experiment, summary, io: rowsOf('io'), request: rowsOf('request'), tables };
}

/** How many requests the device may hold at once, and whether its hardware queues share their tags. */
export interface TagRules {
  readonly depth: number;
  readonly isShared: boolean;
}

/** Everything in the rows of a run that contradicts the laws or the summary, as sentences; empty for a good run. */
export function rowProblems(run: FinishedRun, tags: TagRules): string[] {
  return [
    ...countProblems(run),
    ...ioProblems(run.io),
    ...stampProblems(run.request),
    ...stageSumProblems(run.request, 'request_id'),
    ...ownerProblems(run),
    ...byteProblems(run),
    ...tagProblems(run.request, tags),
  ];
}

function countProblems({ summary, io, request }: FinishedRun): string[] {
  const problems: string[] = [];
  const same = (what: string, a: number, b: number): void => {
    if (a !== b) problems.push(`${what}: ${a} and ${b}`);
  };
  same('rows of io, I/Os of the run', io.rows, summary.run.ios);
  same('rows of request, requests of the run', request.rows, summary.run.requests);
  same('different io_id, rows of io', new Set(io.column('io_id')).size, io.rows);
  same('different request_id, rows of request', new Set(request.column('request_id')).size, request.rows);
  const counted = Object.values(summary.jobs).flatMap((job) => Object.values(job));
  const ios = counted.reduce((sum, direction) => sum + direction.ios, 0);
  same('I/Os of all jobs, rows of io', ios, io.rows);
  const bytes = counted.reduce((sum, direction) => sum + direction.bytes, 0);
  same('bytes of all jobs, bytes of io', bytes, sum(io.column('size_bytes')));
  return problems;
}

function ioProblems(io: Rows): string[] {
  const [id, submit, complete, total] = ['io_id', 'submit_ns', 'complete_ns', 'total_ns'].map((n) => io.column(n));
  const problems = stageSumProblems(io, 'io_id');
  for (let i = 0; i < io.rows; i++) {
    if (!(submit[i] >= 0 && submit[i] <= complete[i]) || total[i] !== complete[i] - submit[i])
      problems.push(`I/O ${id[i]}: submit ${submit[i]}, complete ${complete[i]}, total ${total[i]}`);
  }
  return problems;
}

/** Law 1, from the columns: stages sum to the total, and no stage is negative. */
function stageSumProblems(rows: Rows, idName: string): string[] {
  const problems: string[] = [];
  const id = rows.column(idName);
  const total = rows.column('total_ns');
  const names = rows.names.filter((n) => n.startsWith('st_'));
  const stages = names.map((n) => rows.column(n));
  for (let i = 0; i < rows.rows; i++) {
    let explained = 0;
    stages.forEach((stage, s) => {
      explained += stage[i];
      if (stage[i] < 0) problems.push(`${idName} ${id[i]}: ${names[s]} is ${stage[i]}`);
    });
    if (explained !== total[i])
      problems.push(`${idName} ${id[i]}: ${total[i]} ns, of which ${explained} are explained`);
  }
  return problems;
}

const STAMPS = ['queued_ns', 'got_ns', 'inserted_ns', 'issued_ns', 'device_ns', 'completed_ns'];

/** Q ≤ G ≤ I ≤ D ≤ device ≤ C, phases that did not occur left out; Q and C always occur. */
function stampProblems(request: Rows): string[] {
  const problems: string[] = [];
  const id = request.column('request_id');
  const stamps = STAMPS.map((name) => request.column(name));
  for (let i = 0; i < request.rows; i++) {
    const own = stamps.map((column) => column[i]);
    const occurred = own.filter((ns) => !Number.isNaN(ns));
    const isOrdered = occurred.every((ns, k) => k === 0 || ns >= occurred[k - 1]);
    if (!isOrdered || Number.isNaN(own[0]) || Number.isNaN(own[5]))
      problems.push(`request ${id[i]}: stamps ${own.join(' ')}`);
  }
  return problems;
}

/** A request lies within the life of the I/O it belongs to. */
function ownerProblems({ io, request }: FinishedRun): string[] {
  const problems: string[] = [];
  const [submit, complete] = ['submit_ns', 'complete_ns'].map((n) => io.column(n));
  const at = new Map(Array.from(io.column('io_id'), (id, i) => [id, i]));
  const [id, owner, queued, completed] = ['request_id', 'io_id', 'queued_ns', 'completed_ns'].map((n) =>
    request.column(n),
  );
  for (let i = 0; i < request.rows; i++) {
    if (Number.isNaN(owner[i])) continue;
    const row = at.get(owner[i]);
    if (row === undefined) problems.push(`request ${id[i]}: there is no I/O ${owner[i]}`);
    else if (queued[i] < submit[row] || completed[i] > complete[row])
      problems.push(
        `request ${id[i]}: ${queued[i]}..${completed[i]} is not within I/O ${owner[i]}: ${submit[row]}..${complete[row]}`,
      );
  }
  return problems;
}

const OP_OF_IO: Readonly<Record<string, string>> = { read: 'read', write: 'write', trim: 'discard' };

/** Law 2: bytes of the I/Os are the bytes of the requests, direction by direction. */
function byteProblems({ io, request }: FinishedRun): string[] {
  return Object.entries(OP_OF_IO).flatMap(([ioOp, requestOp]) => {
    const asked = bytesOf(io, ioOp);
    const carried = bytesOf(request, requestOp);
    return asked === carried ? [] : [`${ioOp}: ${asked} bytes asked for, ${carried} carried by requests`];
  });
}

function bytesOf(rows: Rows, op: string): number {
  const ops = rows.text('op');
  return sum(rows.column('size_bytes').filter((_, i) => ops[i] === op));
}

/** Law 6: no tag is used twice at one time, and no more requests are with the device than it has tags. */
function tagProblems(request: Rows, { depth, isShared }: TagRules): string[] {
  const problems: string[] = [];
  const [id, hctx, tag, issued, completed] = ['request_id', 'hctx', 'tag', 'issued_ns', 'completed_ns'].map((n) =>
    request.column(n),
  );
  const order = Array.from(issued.keys()).filter((i) => !Number.isNaN(issued[i]));
  order.sort((a, b) => issued[a] - issued[b] || completed[a] - completed[b]);
  const busyUntil = new Map<string, number>();
  for (const i of order) {
    const name = isShared ? `tag ${tag[i]}` : `tag ${tag[i]} of hctx ${hctx[i]}`;
    if (!(tag[i] >= 0 && tag[i] < depth)) problems.push(`request ${id[i]}: ${name} of ${depth}`);
    const before = busyUntil.get(name) ?? 0;
    if (issued[i] < before) problems.push(`request ${id[i]}: ${name} at ${issued[i]} ns, in use until ${before} ns`);
    busyUntil.set(name, completed[i]);
  }
  return problems;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

export const WORKLOAD = { fio: '[read]\nrw=randread\ndirect=1\nsize=1g\n' };

/** A good definition with some parts replaced. */
export function definitionOf(more: object): object {
  return { format: 1, device: { kind: 'ufs' }, workload: WORKLOAD, ...more };
}

/** Problems of severity `error` of a definition. */
export function problemsOf(definition: unknown): readonly Problem[] {
  return validateDefinition(definition).problems.filter((p) => p.severity === 'error');
}

export function problemsAt(definition: unknown, path: string): readonly Problem[] {
  return problemsOf(definition).filter((p) => p.path === path);
}
