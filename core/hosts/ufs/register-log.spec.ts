/** The register log of detail `full`, as the recorder keeps it: programming, reset and reprogramming in the order of inline-crypto.md 3.6 and 6.3, with fields decoded and keys left out. */
import { describe, expect, it } from 'vitest';
import { OP_READ, OP_WRITE } from '../../block/types.ts';
import { TraceLog } from '../../trace/recorder.ts';
import type { TraceBatch } from '../../trace/schema.ts';
import { cryptoBench, type CryptoBench, encrypted, UNIT } from './crypto-testing.ts';

const MS = 1_000_000;

interface Row {
  readonly at_ns: number;
  readonly name: string;
  readonly old: number;
  readonly new: number;
  readonly fields: string | undefined;
}

/** A host with two slots whose register log is recorded; `rows()` gives what was logged so far. */
function recorded(): { bench: CryptoBench; rows(): Row[] } {
  const batches: TraceBatch[] = [];
  const clock = { now: 0 };
  const log = new TraceLog(clock, (batch) => batches.push(batch));
  const bench = cryptoBench({ keyslots: 2 }, {}, { log });
  Object.defineProperty(clock, 'now', { get: () => bench.engine.now });
  const rows = (): Row[] => {
    log.flush();
    return batches
      .filter(({ table }) => table === 'register_log')
      .flatMap(({ rows: count, names, columns, texts }) =>
        Array.from({ length: count }, (_, row) => {
          const cells = names.map((name, i): [string, unknown] => {
            const value = columns[i][row];
            return [name, ['block', 'name', 'fields'].includes(name) ? texts[value] : value];
          });
          return Object.fromEntries(cells) as unknown as Row;
        }),
      );
  };
  return { bench, rows };
}

/** `16 CFGE=1 CAPIDX=0 DUSIZE=8` for each write to the configuration of a slot. */
function configuration(rows: readonly Row[], slot: number): string[] {
  return rows
    .filter(({ name }) => name.startsWith('CRYPTOCFG.') && name.endsWith(`[${slot}]`))
    .map(({ name, fields }) => `${name.split(/[.[]/)[1]} ${fields}`);
}

const KEY_DWORDS = Array.from({ length: 16 }, (_, dword) => `${dword} KEY (hidden)`);
const NOTHING = '16 CFGE=0 CAPIDX=0 DUSIZE=0';
const LAST = '16 CFGE=1 DUSIZE=8';
const PROGRAMMING = [NOTHING, ...KEY_DWORDS, '17 VSB=0 MH=0', LAST];

describe('the register log', () => {
  it('of programming and evicting is the order of the specification, dword by dword', () => {
    const { bench, rows } = recorded();
    const begun = rows().length;
    bench.get(0, 5, (slot) => bench.profile.put(-1, slot));
    bench.evict(MS, 5);
    bench.run();
    const [programming, eviction] = [
      configuration(
        rows()
          .slice(begun)
          .filter((row) => row.at_ns < MS),
        0,
      ),
      configuration(
        rows().filter((row) => row.at_ns >= MS),
        0,
      ),
    ];
    expect(programming).toEqual(PROGRAMMING);
    expect(eviction).toEqual(['16 CFGE=0 DUSIZE=0', ...KEY_DWORDS, '17 VSB=0 MH=0', NOTHING]);
  });

  it('of a reset: HCE 1→0 with the keys gone, every slot programmed again, HCE with CGE, the link, the list, a doorbell', () => {
    const { bench, rows } = recorded();
    bench.get(0, 5);
    bench.get(0, 6, (slot) => bench.profile.put(-1, slot)); // idle: restored all the same
    bench.media.writeNs = MS;
    bench.block.submitAt(MS, OP_WRITE, 0, UNIT, encrypted(0, 5));
    let begun = 0;
    bench.at(MS + 30_000, () => {
      begun = rows().length;
      bench.ufs.reset(-1);
    });
    bench.run();
    const log = rows().slice(begun);
    const steps = log
      .filter(({ name }) => /^(HCE|CRYPTOCFG\.16|UICCMD|UTRLBA|UTRLRSR|UTRLDBR)/.test(name))
      .map((row) => `${row.name} ${row.fields ?? `= ${row.new}`}`);
    expect(steps.slice(0, 12)).toEqual([
      'HCE CGE=0 HCE=0',
      'UTRLBA = 0',
      'UTRLDBR = 0',
      'UTRLRSR = 0',
      'UICCMD CMDOP=0',
      'CRYPTOCFG.16[0] CFGE=0 DUSIZE=0', // wiped by HCE 1→0
      'CRYPTOCFG.16[1] CFGE=0 DUSIZE=0',
      'CRYPTOCFG.16[0] CFGE=0 CAPIDX=0 DUSIZE=0',
      'CRYPTOCFG.16[0] CFGE=1 DUSIZE=8',
      'CRYPTOCFG.16[1] CFGE=0 CAPIDX=0 DUSIZE=0',
      'CRYPTOCFG.16[1] CFGE=1 DUSIZE=8',
      'HCE CGE=1',
    ]);
    expect(steps[12]).toBe('HCE CGE=1 HCE=1'); // the hardware, when it is up
    const after = steps.slice(13);
    const at = (step: string): number => after.findIndex((line) => line.startsWith(step));
    expect(at('UICCMD CMDOP=22 (DME_LINKSTARTUP)')).toBe(0);
    expect(at('UTRLRSR = 1')).toBeGreaterThan(at('UTRLBA'));
    expect(at('UTRLDBR')).toBeGreaterThan(at('UTRLRSR = 1'));
    for (const slot of [0, 1]) expect(configuration(log, slot).slice(-PROGRAMMING.length)).toEqual(PROGRAMMING);
    const times = log.map((row) => row.at_ns);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('I-32: holds no key material, old or new, only that a dword was written', () => {
    const { bench, rows } = recorded();
    bench.get(0, 5);
    bench.block.submitAt(MS, OP_READ, 0, UNIT, encrypted(0, 5));
    bench.at(2 * MS, () => bench.ufs.reset(-1));
    bench.run();
    const isKey = ({ name }: Row): boolean => /^CRYPTOCFG\.([0-9]|1[0-5])\[/.test(name);
    const keys = rows().filter(isKey);
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.every((row) => Number.isNaN(row.old) && Number.isNaN(row.new))).toBe(true);
    const others = rows().filter((row) => !isKey(row));
    expect(others.every((row) => row.old >= 0 && row.new >= 0)).toBe(true);
  });
});
