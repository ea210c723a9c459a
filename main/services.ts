/**
 * The services: the contract's methods over a workbench, the same object for every face. Parameters are parsed before they get here
 * (ipc/payloads.ts); what goes wrong is thrown as `BlklabError`.
 */
import { existsSync } from 'node:fs';
import type { AppInfo, ExperimentRow, Method, Params, Result } from '../core/contract/api.ts';
import { BlklabError } from '../core/contract/errors.ts';
import type { CallContext } from '../core/contract/rpc.ts';
import { jsonSchema } from '../core/experiment/definition.ts';
import { defaultDefinition } from '../core/experiment/validate.ts';
import { storeWorker, type Reader } from './project/project-store.ts';
import { FILE_FORMAT } from './store/file-format.ts';
import { APP_VERSION } from './version.ts';
import type { Workbench } from './workbench.ts';

export type Services = {
  readonly [M in Method]: (params: Params<M>, context: CallContext) => Result<M> | Promise<Result<M>>;
};

/** The methods of one area, e.g. everything under `project/`. */
type Area<A extends string> = Pick<Services, Extract<Method, `${A}/${string}`>>;

export function createServices(workbench: Workbench): Services {
  return {
    'app/info': () => appInfo(workbench),
    'definition/default': () => ({ definition: defaultDefinition() }),
    'definition/validate': ({ definition }) => ({ problems: workbench.validate(definition).problems }),
    'definition/schema': () => ({ schema: jsonSchema() }),
    ...projectServices(workbench),
    ...experimentServices(workbench),
    ...runServices(workbench),
    ...queryServices(workbench),
    ...exportServices(workbench),
  };
}

async function appInfo({ face, project }: Workbench): Promise<AppInfo> {
  return {
    face: face.kind,
    version: APP_VERSION,
    fileFormat: FILE_FORMAT,
    node: process.versions.node,
    sqlite: await project.store.writer.call('sqliteVersion', []),
    platform: `${process.platform} ${process.arch}`,
  };
}

function projectServices(workbench: Workbench): Area<'project'> {
  const { project, face, settings } = workbench;
  return {
    'project/state': () => workbench.state,
    'project/new': () => workbench.replaceProject(() => project.new()),
    'project/open': ({ path }) => workbench.replaceProject(() => project.open(path)),
    'project/pickOpen': async () => ({ path: await face.pickOpen() }),
    'project/pickSave': async ({ suggested }) => ({ path: await face.pickSave(suggested) }),
    'project/save': async () => {
      await project.save();
      return workbench.changed();
    },
    'project/saveAs': ({ path }) => workbench.replaceProject(() => project.saveAs(path)),
    'project/recent': () => settings.recent.map((path) => ({ path, exists: existsSync(path) })),
    'project/closeAnswer': async ({ answer }) => ({ closed: await closeAnswered(workbench, answer) }),
  };
}

/** The user has answered what to do about unsaved changes and runs in progress. Returns whether the window closes. */
async function closeAnswered(workbench: Workbench, answer: 'save' | 'discard' | 'cancel'): Promise<boolean> {
  if (answer === 'cancel') return false;
  const { project, face, queue } = workbench;
  await queue.stopAll();
  if (answer === 'discard') await project.discard();
  else if (workbench.state.dirty && workbench.state.path === null) {
    const path = await face.pickSave(`${workbench.state.name}.blklab`);
    if (path === null) return false;
    await workbench.replaceProject(() => project.saveAs(path));
  } else if (workbench.state.dirty) await project.save();
  await workbench.changed();
  return face.closeWindow();
}

function experimentServices(workbench: Workbench): Area<'experiment'> {
  const { project } = workbench;
  const changed = async (row: Promise<ExperimentRow>): Promise<ExperimentRow> => {
    const { id } = await row;
    workbench.emit('explorer/changed', { experimentId: id });
    await workbench.changed();
    return row;
  };
  const keepDraft = async (id: number, edit: (before: ExperimentRow) => unknown): Promise<ExperimentRow> => {
    const { writer, reader } = project.store;
    const before = await reader.call('experiment', [id]);
    const definition = edit(before);
    return writer.call('draft', [id, nameOf(definition) ?? before.name, definition]);
  };
  return {
    'experiment/list': () => project.store.reader.call('experiments', []),
    'experiment/create': ({ name, definition }) => {
      const createdAt = new Date().toISOString();
      return changed(project.store.writer.call('createExperiment', [name, withName(definition, name), createdAt]));
    },
    'experiment/rename': ({ id, name }) => changed(keepDraft(id, ({ definition }) => withName(definition, name))),
    'experiment/draft': ({ id, definition }) => changed(keepDraft(id, () => definition)),
    'experiment/remove': async ({ id }) => {
      workbench.refuseWhileRunning();
      const removed = await project.store.writer.call('removeExperiment', [id]);
      workbench.emit('explorer/changed', { experimentId: null });
      await workbench.changed();
      return { removed };
    },
  };
}

/** An experiment is called what its definition says. */
function nameOf(definition: unknown): string | undefined {
  const name = isRecord(definition) ? definition['name'] : undefined;
  return typeof name === 'string' && name.trim() !== '' ? name : undefined;
}

function withName(definition: unknown, name: string): unknown {
  return isRecord(definition) ? { ...definition, name } : definition;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function runServices(workbench: Workbench): Area<'run'> {
  const { project } = workbench;
  return {
    'run/start': async ({ experimentId }) => {
      const { definition } = await project.store.reader.call('experiment', [experimentId]);
      const { experiment, problems } = workbench.validate(definition);
      if (experiment === undefined)
        throw new BlklabError('VALIDATION', 'The definition has errors: nothing was run.', problems);
      const runId = await workbench.queue.add({ experimentId, definition, experiment });
      workbench.emit('explorer/changed', { experimentId });
      return { runId };
    },
    'run/stop': async ({ runId }) => ({ stopped: await workbench.queue.stop(runId) }),
    'run/list': ({ experimentId }) => project.store.reader.call('runs', [experimentId]),
    'run/summary': ({ runId }) => project.store.reader.call('run', [runId]),
    'run/remove': async ({ runId }) => {
      const { row } = await project.store.reader.call('run', [runId]);
      if (row.status === 'running') workbench.refuseWhileRunning();
      const removed = await project.store.writer.call('removeRun', [runId]);
      workbench.emit('explorer/changed', { experimentId: row.experimentId });
      return { removed };
    },
  };
}

function queryServices({ project }: Workbench): Area<'query'> {
  return {
    'query/page': (request) => project.store.reader.call('page', [request]),
    'query/histogram': (request) => project.store.charts.call('histogram', [request]),
    'query/latencyOverTime': (request) => project.store.charts.call('latencyOverTime', [request]),
    'query/stages': (request) => project.store.charts.call('stages', [request]),
    'query/keyslots': (request) => project.store.charts.call('keyslots', [request]),
    'query/checkWhere': ({ table, where }) => project.store.reader.call('checkWhere', [table, where]),
  };
}

function exportServices({ project, face }: Workbench): Area<'export'> {
  return {
    'export/csv': async ({ runId, directory }, context) => {
      await project.store.reader.call('run', [runId]);
      // A reader of its own: tables and charts stay answerable meanwhile.
      const reader: Reader = storeWorker('reader');
      const cancel = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      context.onCancel(() => {
        Atomics.store(cancel, 0, 1);
      });
      try {
        await reader.call('open', [project.store.path]);
        return { files: await reader.call('exportCsv', [runId, directory, '', cancel.buffer]) };
      } finally {
        await reader.terminate();
      }
    },
    'export/pickDirectory': async () => ({ path: await face.pickDirectory() }),
  };
}
