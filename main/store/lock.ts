/**
 * One process at a time may write a project.
 *
 * SQLite's own locks do not say that: in WAL mode several processes may take turns. So the owner holds an exclusive lock on a small
 * neighbour, `<project>-lock`, itself an (empty) SQLite file: the kernel lets go of the lock when the process dies, however it dies, and there is
 * nothing stale to clean up by guesswork.
 */
import { rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { projectErrors, toStoreError } from './errors.ts';

export interface ProjectLock {
  /** Lets go and removes the neighbour. */
  release(): void;
}

/** The file a second opener may have removed between our opening and our locking; then what we locked is nobody's. */
function isStillThere(path: string, inode: bigint): boolean {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino === inode;
}

/** Takes the lock of a project. Throws PROJECT_LOCKED when another process has it. */
export function lockProject(projectPath: string): ProjectLock {
  const path = `${projectPath}-lock`;
  for (;;) {
    let database: Database.Database | undefined;
    try {
      database = new Database(path, { timeout: 0 });
      const inode = statSync(path, { bigint: true }).ino;
      database.exec('BEGIN EXCLUSIVE');
      const held = database;
      if (isStillThere(path, inode)) return { release: () => release(held, path) };
      database.close();
    } catch (error) {
      database?.close();
      const known = toStoreError(error, projectPath);
      throw known.code === 'PROJECT_LOCKED' ? projectErrors.locked(projectPath) : known;
    }
  }
}

/** The file goes first, while we still hold it: who opened it meanwhile will notice that it is no longer there. */
function release(database: Database.Database, path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}-journal`, { force: true });
  database.close();
}
