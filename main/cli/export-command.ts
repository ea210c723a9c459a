/** `blklab export`: a recorded run as files. */
import { resolve } from 'node:path';
import { BlklabError } from '../../core/contract/errors.ts';
import { formatExact } from '../../core/units/format.ts';
import { ProjectStore } from '../project/project-store.ts';
import { EXIT } from './problems.ts';

export interface ExportFlags {
  readonly run: number;
  readonly format: string;
  readonly out: string;
  /** A condition over the columns of `io`. */
  readonly where?: string;
}

/** Runs the command. Returns the exit code. */
export async function exportCommand(project: string, flags: ExportFlags): Promise<number> {
  if (flags.format !== 'csv')
    throw new BlklabError('BAD_INPUT', `--format ${flags.format}: this version writes csv only.`);
  const store = await ProjectStore.open(resolve(project));
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const onSignal = (): void => {
    Atomics.store(cancel, 0, 1);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    await store.reader.call('run', [flags.run]);
    const where = flags.where ?? '';
    const files = await store.reader.call('exportCsv', [flags.run, resolve(flags.out), where, cancel.buffer]);
    for (const { path, rows } of files) process.stdout.write(`${path}: ${formatExact(rows)} rows\n`);
    return EXIT.done;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await store.close();
  }
}
