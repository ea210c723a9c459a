import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TABLES } from '../../core/trace/schema.ts';
import en from './en.json';
import { t, tn, wordsFor } from './words.ts';

const ROOT = join(import.meta.dirname, '..');
const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.(vue|ts)$/.test(name) && !name.endsWith('.spec.ts'),
);
const code = sources.map((name) => readFileSync(join(ROOT, name), 'utf8')).join('\n');

describe('words', () => {
  it('fill their placeholders', () => {
    expect(t('run.title', { name: 'A', n: 3 })).toBe('A, run 3');
    expect(tn('count.runs', 1)).toBe('1 run');
    expect(tn('count.runs', 2)).toBe('2 runs');
    expect(wordsFor('column.nothing', 'nothing')).toBe('nothing');
  });

  it('are there for every column that is no stage', () => {
    const columns = [...TABLES.io, ...TABLES.request].filter(({ stage }) => stage === undefined);
    expect(columns.map(({ name }) => name).filter((name) => !Object.hasOwn(en, `column.${name}`))).toEqual([]);
  });

  it('are all used', () => {
    const isUsed = (key: string): boolean =>
      code.includes(`'${key}'`) ||
      code.includes(`'${key.replace(/\.(one|other)$/, '')}'`) ||
      // keys made of a part and data: `stage.${id}`, `status.${status}`, `keys.${key}Does`
      [...code.matchAll(/`([a-z]+(?:\.[a-z]+)*\.)\$\{/g)].some(([, start]) => key.startsWith(start ?? ''));
    expect(Object.keys(en).filter((key) => !isUsed(key))).toEqual([]);
  });
});

describe('components', () => {
  it('hold no colours of their own: tokens only', () => {
    const files = sources.filter((name) => name.endsWith('.vue'));
    const withHex = files.filter((name) => /[:\s]#[0-9a-f]{3,8}[;\s]/i.test(readFileSync(join(ROOT, name), 'utf8')));
    expect(withHex).toEqual([]);
  });
});
