/** `blklab image medium`: runs a definition with data and writes what its medium holds at the end. */
import { resolve } from 'node:path';
import { BlklabError } from '../../core/contract/errors.ts';
import { scenarioOf } from './definition-file.ts';
import { runCommand, type RunFlags } from './run-command.ts';

export interface ImageFlags extends Omit<RunFlags, 'csv' | 'image'> {
  readonly out: string;
}

/** Runs the command. Returns the exit code. `file`: a definition, a job file, or SCENARIO:VARIANT. */
export async function imageMediumCommand(file: string, { out, ...flags }: ImageFlags): Promise<number> {
  const place = scenarioOf(file);
  if (place !== undefined && place.variant === undefined) {
    const names = Object.keys(place.scenario.variants).join(', ');
    throw new BlklabError('BAD_INPUT', `${file} has several variants; name one as ${file}:VARIANT, of ${names}.`);
  }
  const set = [...flags.set, 'run.data=verify', 'run.repeats=1'];
  return runCommand(file, { ...flags, set, image: resolve(out) });
}
