/** The words of the window: one table, with placeholders in braces. Components hold no words of their own. */
import en from './en.json';

export type WordKey = keyof typeof en;
type CountKey = WordKey extends infer K ? (K extends `${infer Base}.one` ? Base : never) : never;

const table: Readonly<Record<string, string>> = en;

/** The words for a key, `{name}` replaced by `values.name`. A key that is not there is a programmer's mistake and throws. */
export function t(key: WordKey, values: Readonly<Record<string, string | number>> = {}): string {
  const words = table[key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? `{${name}}`));
}

/** Words that go with a count: `key.one` or `key.other`, with `{n}`. */
export function tn(key: CountKey, n: number, shown: string | number = n): string {
  return t(`${key}.${n === 1 ? 'one' : 'other'}`, { n: shown });
}

/** The words for a key made from data (a column, a status), or the given words where there are none. */
export function wordsFor(key: string, otherwise: string): string {
  return table[key] ?? otherwise;
}
