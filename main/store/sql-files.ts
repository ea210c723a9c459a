/**
 * SQL texts: one statement per file, named after what it answers, so that any of them can be opened in an SQL tool.
 *
 * The folders `schema/` and `queries/` stand beside this file in the sources, and the build copies them beside the bundle (see
 * electron.vite.config.ts), so the same lookup works unbuilt and built.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = (name: 'schema' | 'queries'): string => join(import.meta.dirname, name);

const texts = new Map<string, string>();

/** The text of `queries/<name>.sql`. Throws when there is no such file (a programmer's mistake). */
export function query(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(join(folder('queries'), `${name}.sql`), 'utf8');
    texts.set(name, text);
  }
  return text;
}

/** A query with `{name}` places filled in. Only for what cannot be bound: column names, checked conditions, literals of ours. */
export function queryWith(name: string, places: Readonly<Record<string, string | number>>): string {
  return query(name).replace(/\{(\w+)\}/g, (_all, place: string) => {
    if (!(place in places)) throw new Error(`${name}.sql: nothing given for {${place}}`);
    return String(places[place]);
  });
}

export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** The numbered steps `schema/NNN_up.sql`, in order. */
export function migrations(): readonly Migration[] {
  const path = folder('schema');
  if (!existsSync(path)) throw new Error(`the SQL files are missing: ${path}`);
  return readdirSync(path)
    .filter((name) => /^\d{3}_up\.sql$/.test(name))
    .sort()
    .map((name) => ({ version: Number(name.slice(0, 3)), sql: readFileSync(join(path, name), 'utf8') }));
}
