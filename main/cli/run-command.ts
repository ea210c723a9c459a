/** `blklab run`: one definition or scenario, once or with repeats, shown as text or JSON, recorded into a project and CSV files when asked. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BlklabError } from '../../core/contract/errors.ts';
import type { RunSummary } from '../../core/contract/summary.ts';
import type { ValidExperiment } from '../../core/experiment/definition.ts';
import { formatBytes } from '../../core/units/format.ts';
import { MediumImage } from '../exports/medium-image.ts';
import { ProjectStore } from '../project/project-store.ts';
import { startRun, type OnProgress, type RunEnding, type RunningRun } from '../runs/execute.ts';
import { APP_VERSION } from '../version.ts';
import type { Scenario } from '../scenarios/scenarios.ts';
import { loadDefinition, type LoadedDefinition, loadVariant, type Overrides, scenarioOf } from './definition-file.ts';
import { EXIT, problemLine, reportError, tell } from './problems.ts';
import { progressLine } from './progress-line.ts';
import { summaryText } from './summary-text.ts';
import { type VariantResult, variantTable } from './variant-table.ts';

export interface RunFlags extends Overrides {
  readonly project?: string;
  readonly csv?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Where the image of the medium goes; the definition then runs with data, once. */
  readonly image?: string;
}

/** Where rows are kept while the command runs; `undefined` members mean that nobody asked for them. */
interface Recording {
  readonly store: ProjectStore;
  readonly experimentId: number;
  readonly definition: unknown;
}

/** Runs the command. Returns the exit code. `file`: a definition, a job file, or SCENARIO[:VARIANT]. */
export async function runCommand(file: string, flags: RunFlags): Promise<number> {
  const place = scenarioOf(file);
  if (place === undefined) return runLoaded(file, loadDefinition(file, flags), flags, shownBy(flags));
  const { scenario, variant } = place;
  if (variant === undefined) return runVariants(scenario, flags);
  const loaded = loadVariant(scenario, variant, flags);
  return runLoaded(`${scenario.slug}:${variant}`, loaded, flags, shownBy(flags));
}

/** All variants of a scenario, one after the other, shown as one table. */
async function runVariants(scenario: Scenario, flags: RunFlags): Promise<number> {
  const results: VariantResult[] = [];
  let code: number = EXIT.done;
  for (const variant of Object.keys(scenario.variants)) {
    if (flags.quiet !== true) process.stderr.write(`${scenario.slug}:${variant}\n`);
    const loaded = loadVariant(scenario, variant, flags);
    const own = flags.csv === undefined ? flags : { ...flags, csv: join(flags.csv, variant) };
    const ended = await runLoaded(`${scenario.slug}:${variant}`, loaded, own, {
      each: (summary) => results.push({ variant, summary }),
      all: () => undefined,
    });
    code = Math.max(code, ended);
    if (ended === EXIT.badInput || results.at(-1)?.summary.run.status === 'stopped') break;
  }
  if (results.length === 0) return code;
  if (flags.json === true) {
    const byVariant = Object.fromEntries(results.map(({ variant, summary }) => [variant, summary]));
    process.stdout.write(`${JSON.stringify(byVariant, null, 2)}\n`);
  } else process.stdout.write(variantTable(scenario.title, results));
  return code;
}

/** What becomes of summaries: of each when its run has ended, and of all at the end. */
interface Show {
  each(summary: RunSummary, repeat: number): void;
  all(summaries: readonly RunSummary[], repeats: number): void;
}

/** Text as it comes, or JSON at the end. */
function shownBy({ json }: RunFlags): Show {
  return {
    each: (summary, repeat) => {
      if (json !== true) process.stdout.write(`${repeat > 1 ? '\n' : ''}${summaryText(summary)}`);
    },
    all: (summaries, repeats) => {
      if (json === true && summaries.length > 0)
        process.stdout.write(`${JSON.stringify(repeats === 1 ? summaries[0] : summaries, null, 2)}\n`);
    },
  };
}

/** Runs one definition, with its repeats. */
async function runLoaded(
  file: string,
  { definition, experiment, problems }: LoadedDefinition,
  flags: RunFlags,
  show: Show,
): Promise<number> {
  const isBad = experiment === undefined || problems.some((problem) => problem.severity === 'error');
  for (const problem of problems)
    if (isBad || flags.quiet !== true) process.stderr.write(`${problemLine(file, problem)}\n`);
  if (isBad) return EXIT.badInput;
  checkCsvFolder(flags.csv);
  if (experiment.run.detail === 'summary' && (flags.csv ?? flags.project) !== undefined && flags.quiet !== true)
    tell('the definition says run.detail = "summary": no rows are recorded');
  const place = projectPlace(flags);
  try {
    const recording =
      place.path === undefined ? undefined : await openRecording(place.path, definition, experiment.name);
    try {
      return await runAll(experiment, recording, flags, show);
    } finally {
      await recording?.store.close();
    }
  } finally {
    place.remove();
  }
}

/** `--csv` must be a folder or free; said before anything runs. */
function checkCsvFolder(path: string | undefined): void {
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new BlklabError('BAD_INPUT', `--csv ${path}: must be a folder.`);
}

/** The project to record into: the one named, a temporary one when only CSV files are wanted, or none. */
function projectPlace(flags: RunFlags): { readonly path: string | undefined; remove(): void } {
  if (flags.project !== undefined) return { path: resolve(flags.project), remove: () => undefined };
  if (flags.csv === undefined) return { path: undefined, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'blklab-'));
  return { path: join(folder, 'run.blklab'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function openRecording(path: string, definition: unknown, name: string): Promise<Recording> {
  const store = existsSync(path) ? await ProjectStore.open(path) : await ProjectStore.create(path);
  try {
    const { id } = await store.writer.call('savedExperiment', [name, definition, new Date().toISOString()]);
    return { store, experimentId: id, definition };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function runAll(
  experiment: ValidExperiment,
  recording: Recording | undefined,
  flags: RunFlags,
  show: Show,
): Promise<number> {
  const { repeats } = experiment.run;
  const summaries: RunSummary[] = [];
  const interrupt = new Interrupt();
  let code: number = EXIT.done;
  try {
    for (let repeat = 1; repeat <= repeats && !interrupt.isAsked; repeat++) {
      const { ending, runId, image } = await runOnce(experiment, repeat, recording, flags, interrupt);
      if (ending.message !== null) tell(ending.message);
      if (ending.summary !== null) {
        summaries.push(ending.summary);
        show.each(ending.summary, repeat);
      }
      if (image !== undefined) await endImage(image, flags);
      code = Math.max(code, exitCode(ending));
      if (flags.csv !== undefined && recording !== undefined && runId !== null)
        await writeCsv(recording.store, runId, repeats === 1 ? flags.csv : join(flags.csv, `repeat-${repeat}`));
    }
  } finally {
    interrupt.done();
  }
  show.all(summaries, repeats);
  return code;
}

function exitCode(ending: RunEnding): number {
  if (ending.status === 'deadlock') return EXIT.deadlock;
  if (ending.status !== 'done') return EXIT.failed;
  return ending.summary !== null && ending.summary.violations.length === 0 ? EXIT.done : EXIT.failed;
}

async function runOnce(
  experiment: ValidExperiment,
  repeat: number,
  recording: Recording | undefined,
  flags: RunFlags,
  interrupt: Interrupt,
): Promise<{ ending: RunEnding; runId: number | null; image: MediumImage | undefined }> {
  const seed = experiment.seed + repeat - 1;
  const runId = recording === undefined ? null : await createRun(recording, seed, repeat);
  const record = recording === undefined || runId === null ? undefined : { writer: recording.store.writer, runId };
  const line = progressLine(process.stderr, flags.quiet === true);
  const label = experiment.run.repeats > 1 ? `repeat ${repeat} of ${experiment.run.repeats} ` : '';
  const image = flags.image === undefined ? undefined : new MediumImage(flags.image);
  const onProgress: OnProgress = (snapshot, wallMs) => line.show(label, snapshot, wallMs);
  const run = startRun({ ...experiment, seed }, record, onProgress, { image });
  interrupt.watch(run);
  const ending = await run.ending;
  line.end();
  if (recording !== undefined && runId !== null) await endRun(recording, runId, ending);
  return { ending, runId, image };
}

async function endImage(image: MediumImage, { quiet, json }: RunFlags): Promise<void> {
  const { path } = image;
  if (!(await image.finish())) tell(`${path} was not written: the run did not end well`);
  else if (json !== true && quiet !== true)
    process.stdout.write(
      `${path}: ${formatBytes(image.capacityBytes)}, of which ${formatBytes(image.pageBytes)} were written\n`,
    );
}

function createRun({ store, experimentId, definition }: Recording, seed: number, repeat: number): Promise<number> {
  const startedAt = new Date().toISOString();
  return store.writer.call('createRun', [
    { experimentId, seed, repeat, definition, startedAt, appVersion: APP_VERSION },
  ]);
}

async function endRun({ store }: Recording, runId: number, ending: RunEnding): Promise<void> {
  const { status, wallMs, summary, message } = ending;
  try {
    await store.writer.call('endRun', [{ runId, status, wallMs, summary, message }]);
  } catch (error) {
    reportError(error);
  }
}

async function writeCsv(store: ProjectStore, runId: number, folder: string): Promise<void> {
  await store.reader.call('exportCsv', [runId, resolve(folder), '', new SharedArrayBuffer(4)]);
}

/** Ctrl-C stops the run and keeps what was measured; a second one ends the program. */
class Interrupt {
  isAsked = false;
  private run: RunningRun | undefined;
  private readonly onSignal = (): void => {
    if (this.isAsked) process.exit(EXIT.failed);
    this.isAsked = true;
    this.run?.stop();
  };

  constructor() {
    process.on('SIGINT', this.onSignal).on('SIGTERM', this.onSignal);
  }

  watch(run: RunningRun): void {
    this.run = run;
    if (this.isAsked) run.stop();
  }

  done(): void {
    process.off('SIGINT', this.onSignal).off('SIGTERM', this.onSignal);
  }
}
