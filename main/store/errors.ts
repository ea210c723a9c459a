/** What SQLite and the file system say, as one of our errors with words for the user: what happened, to which file, what to do. */
import Database from 'better-sqlite3';
import { BlklabError } from '../../core/contract/errors.ts';

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return '';
}

/** The words for each trouble a project file can be in. */
export const projectErrors = {
  notOurs: (path: string): BlklabError => new BlklabError('PROJECT_NOT_OURS', `${path} is not a blklab project.`),
  tooNew: (path: string, version: number, ours: number): BlklabError =>
    new BlklabError(
      'PROJECT_TOO_NEW',
      `${path} was written by a newer blklab (file format ${version}, this one knows ${ours}): update blklab to open it.`,
    ),
  damaged: (path: string, detail: string): BlklabError =>
    new BlklabError(
      'PROJECT_DAMAGED',
      `${path} is damaged (${detail}). Nothing was changed; \`sqlite3 FILE .recover\` may save its rows.`,
    ),
  readOnly: (path: string): BlklabError =>
    new BlklabError('PROJECT_READ_ONLY', `${path} is read-only: save a copy under another name to change it.`),
  locked: (path: string): BlklabError =>
    new BlklabError('PROJECT_LOCKED', `${path} is in use by another program: close it there first.`),
  diskFull: (path: string): BlklabError =>
    new BlklabError('DISK_FULL', `The disk is full: ${path} could not be written. What was written before is kept.`),
  noSuch: (path: string): BlklabError => new BlklabError('NO_SUCH', `There is no file ${path}.`),
};

/** Translates a thrown value that came up while working on `path`. Errors of ours pass through. */
export function toStoreError(error: unknown, path: string): BlklabError {
  if (error instanceof BlklabError) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return projectErrors.diskFull(path);
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return projectErrors.locked(path);
  if (code.startsWith('SQLITE_READONLY') || code === 'EROFS' || code === 'EACCES') return projectErrors.readOnly(path);
  if (code.startsWith('SQLITE_NOTADB')) return projectErrors.notOurs(path);
  if (code.startsWith('SQLITE_CORRUPT')) return projectErrors.damaged(path, message);
  if (code === 'ENOENT' || code === 'ENOTDIR') return projectErrors.noSuch(path);
  if (code === 'SQLITE_CANTOPEN' || code === 'EISDIR')
    return new BlklabError('STORE', `${path} cannot be opened: ${message}.`);
  return new BlklabError('STORE', `${path}: ${message}`, { code });
}

/** True for errors of SQLite (as opposed to mistakes of ours). */
export function isSqliteError(error: unknown): boolean {
  return error instanceof Database.SqliteError;
}
