/** Which versions a read may see, told as scripts of overlapping writes and reads, and compared with the rule written out over all writes ever made. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { INITIAL, Versions } from './versions.ts';

/** One block's history by hand. */
class Script {
  readonly versions = new Versions();
  private readonly submitted = new Map<number, number>();

  begin(atNs: number, block = 0, blocks = 1): number {
    const record = this.versions.records.alloc();
    this.versions.records.firstBlock[record] = block;
    this.versions.writeBegan(record, blocks);
    this.submitted.set(record, atNs);
    return record;
  }

  end(record: number, atNs: number, isDone = true, blocks = 1): void {
    this.versions.writeEnded(record, blocks, this.submitted.get(record) ?? NaN, atNs, isDone);
  }

  write(fromNs: number, toNs: number): number {
    const record = this.begin(fromNs);
    this.end(record, toNs);
    return record;
  }

  sees(submitNs: number, block = 0): number[] {
    const into: number[] = [];
    const count = this.versions.candidates(block, submitNs, into);
    return into.slice(0, count);
  }
}

describe('a read may see', () => {
  it('zeros before anything was written', () => {
    expect(new Script().sees(0)).toEqual([INITIAL]);
  });

  it('the last write, once it is complete', () => {
    const s = new Script();
    s.write(10, 20);
    const second = s.write(20, 30);
    expect(s.sees(30)).toEqual([second]);
  });

  it('a write under way, and what was there before', () => {
    const s = new Script();
    const first = s.write(10, 20);
    const second = s.begin(30);
    expect(s.sees(25)).toEqual([second, first]);
  });

  it('a write that was overwritten while the read was under way, not one before that', () => {
    const s = new Script();
    s.versions.readBegan(0, 1);
    const first = s.write(10, 20);
    const second = s.write(25, 40);
    expect(s.sees(30)).toEqual([second, first]);
    expect(s.sees(41)).toEqual([second]);
    s.versions.readEnded(0, 1);
    expect(s.sees(41)).toEqual([second]);
  });

  it('either of two writes that overlapped, in whichever order they completed', () => {
    const s = new Script();
    const a = s.begin(10);
    const b = s.begin(15);
    s.end(b, 20);
    s.end(a, 25);
    expect(s.sees(100)).toEqual([b, a]);
    const after = s.write(30, 40);
    expect(s.sees(100)).toEqual([after]);
  });

  it('a failed write or what was there before, until another write is complete', () => {
    const s = new Script();
    const first = s.write(10, 20);
    const failed = s.begin(30);
    s.end(failed, 40, false);
    expect(s.sees(50)).toEqual([failed, first]);
    const third = s.write(60, 70);
    expect(s.sees(80)).toEqual([third]);
  });

  it('nothing of a write in blocks that it did not cover', () => {
    const s = new Script();
    const record = s.begin(10, 255, 2);
    s.end(record, 20, true, 2);
    expect([254, 255, 256, 257].map((block) => s.sees(30, block))).toEqual([[INITIAL], [record], [record], [INITIAL]]);
  });
});

/** A write or read of a random history, by its instants. */
interface Span {
  readonly submitNs: number;
  endNs: number;
  readonly record: number;
  isDone: boolean;
}

/** The rule of the file header, over all writes ever made. */
function allowed(writes: readonly Span[], read: Span): number[] {
  return writes
    .filter((w) => w.submitNs < read.endNs)
    .filter((w) => !writes.some((v) => v !== w && v.isDone && v.submitNs >= w.endNs && v.endNs <= read.submitNs))
    .map((w) => w.record)
    .sort((a, b) => a - b);
}

describe('random histories', () => {
  it.each([1, 2, 3, 4, 5])('are judged as the rule says (seed %i)', (seed) => {
    const random = new RandomStream(seed, 'versions');
    const s = new Script();
    const writes: Span[] = [{ submitNs: -Infinity, endNs: -Infinity, record: INITIAL, isDone: true }];
    const writing: Span[] = [];
    const reading: Span[] = [];
    // Records are used again; the model needs names for good.
    const names = new Map<number, number>();
    const nameOf = (record: number): number => names.get(record) ?? record;
    let checked = 0;
    for (let nowNs = 1; nowNs < 3000; nowNs++) {
      const kind = random.below(4);
      if (kind === 0 && writing.length < 4) {
        const record = s.begin(nowNs);
        names.set(record, writes.length);
        const span = { submitNs: nowNs, endNs: Infinity, record: writes.length, isDone: false };
        writes.push(span);
        writing.push({ ...span, record });
      } else if (kind === 1 && writing.length > 0) {
        const [own] = writing.splice(random.below(writing.length), 1);
        const isDone = random.below(5) > 0;
        const span = writes[nameOf(own.record)];
        span.endNs = nowNs;
        span.isDone = isDone;
        s.end(own.record, nowNs, isDone);
      } else if (kind === 2 && reading.length < 4) {
        s.versions.readBegan(0, 1);
        reading.push({ submitNs: nowNs, endNs: Infinity, record: -1, isDone: true });
      } else if (kind === 3 && reading.length > 0) {
        const [own] = reading.splice(random.below(reading.length), 1);
        const seen = s
          .sees(own.submitNs)
          .map(nameOf)
          .sort((a, b) => a - b);
        expect(seen).toEqual(allowed(writes, { ...own, endNs: nowNs }));
        s.versions.readEnded(0, 1);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(300);
  });
});
