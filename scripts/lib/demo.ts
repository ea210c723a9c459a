/**
 * `npm run demo`: runs resources/demo/demo.fio through the command line, then shows that what was exported is what was stored: for each
 * CSV file its rows beside the rows of its table. Everything is written to demo-output/, afresh each time.
 */
import { createReadStream, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { ROOT, runNode } from './process.ts';

const OUTPUT = 'demo-output';
const PROJECT = `${OUTPUT}/demo.blklab`;
const CSV_FOLDER = `${OUTPUT}/csv`;

/** Rows of an RFC 4180 file, header not counted; line breaks inside quotes are text. */
export async function countCsvRows(path: string): Promise<number> {
  let isQuoted = false;
  let lines = 0;
  let last = '\n';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const text = chunk as string;
    for (const char of text) {
      if (char === '"') isQuoted = !isQuoted;
      else if (char === '\n' && !isQuoted) lines++;
    }
    last = text.at(-1) ?? last;
  }
  if (last !== '\n') lines++;
  return Math.max(0, lines - 1);
}

/** Prints and compares the rows of each CSV file and its table. Returns whether all agree and there was something to compare. */
async function compareRows(): Promise<boolean> {
  const files = readdirSync(join(ROOT, CSV_FOLDER)).filter((name) => name.endsWith('.csv'));
  const database = new Database(join(ROOT, PROJECT), { readonly: true, fileMustExist: true });
  let isEqual = files.length > 0;
  console.log(`\n${'table'.padEnd(16)}${'rows'.padStart(10)}${'CSV rows'.padStart(10)}`);
  for (const file of files.sort()) {
    const table = basename(file, '.csv');
    const stored = database.prepare(`SELECT count(*) FROM "${table}"`).pluck().get() as number;
    const exported = await countCsvRows(join(ROOT, CSV_FOLDER, file));
    if (stored !== exported) isEqual = false;
    const verdict = stored === exported ? '' : '  differ';
    console.log(`${table.padEnd(16)}${String(stored).padStart(10)}${String(exported).padStart(10)}${verdict}`);
  }
  database.close();
  return isEqual;
}

/** Runs the demo. Returns the exit code: that of the run, or 1 when CSV files and tables differ. */
export async function demo(): Promise<number> {
  rmSync(join(ROOT, OUTPUT), { recursive: true, force: true });
  mkdirSync(join(ROOT, OUTPUT), { recursive: true });
  const code = await runNode('main/cli.ts', [
    'run',
    'resources/demo/demo.fio',
    '--project',
    PROJECT,
    '--csv',
    CSV_FOLDER,
  ]);
  if (code !== 0) return code;
  if (!existsSync(join(ROOT, CSV_FOLDER))) throw new Error(`the run wrote no ${CSV_FOLDER}`);
  const isEqual = await compareRows();
  console.log(`\nProject file: ${PROJECT}, CSV files: ${CSV_FOLDER}/`);
  return isEqual ? 0 : 1;
}
