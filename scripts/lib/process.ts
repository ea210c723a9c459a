/** Child processes of the scripts: same terminal, signals passed on, the exit code as the answer. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The root of this checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** Runs a command on this terminal and waits for it. Returns its exit code, 1 when a signal ended it, 127 when it could not start. */
export function runCommand(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: 'inherit' });
    const passOn = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    process.on('SIGINT', passOn).on('SIGTERM', passOn);
    const end = (code: number): void => {
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      resolve(code);
    };
    child.on('error', (error) => {
      console.error(`blklab: cannot start ${command}: ${error.message}`);
      end(127);
    });
    child.on('exit', (code) => {
      end(code ?? 1);
    });
  });
}

/** Runs a script of this checkout, or of one of its packages, under this very Node. */
export function runNode(script: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<number> {
  return runCommand(process.execPath, [join(ROOT, script), ...args], env);
}

/** The path of a program on PATH, or undefined. */
export function findOnPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
