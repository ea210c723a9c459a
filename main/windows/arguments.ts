/** The project among the arguments of a start, if there is one: `electron . [options] FILE.blklab`. */
import { resolve } from 'node:path';

/** Absolute path of the first argument that names a project. */
export function projectArgument(argv: readonly string[], folder: string = process.cwd()): string | undefined {
  const name = argv.slice(1).find((argument) => !argument.startsWith('-') && argument.endsWith('.blklab'));
  return name === undefined ? undefined : resolve(folder, name);
}
