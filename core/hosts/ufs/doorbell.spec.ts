/** The protocol of the single doorbell between driver and controller, under random load with resets and aborts, and when somebody breaks it (inline-crypto.md 7, I-33 to I-39, I-44). */
import { describe, expect, it } from 'vitest';
import { OP_READ, OP_WRITE, STS_OK } from '../../block/types.ts';
import type { Ufs } from './build.ts';
import { cryptoBench, encrypted, programmed, UNIT, writesOf } from './crypto-testing.ts';
import * as d from './descriptors.ts';
import * as prdt from './prdt-keys.ts';
import * as r from './registers.ts';
import { CLEAN, noPower, type Outcome, type Plan, runPlan } from './stack-testing.ts';
import { makeBench, readAt } from './testing.ts';

const US = 1_000;
const MS = 1_000_000;

const RESETS: Pick<Plan, 'faults' | 'faultEveryNs'> = {
  faults: (ufs) => {
    ufs.lld.hci.injectError(r.IS_HCFES);
  },
  faultEveryNs: 40 * MS,
};
const ABORTS: Pick<Plan, 'faults' | 'faultEveryNs' | 'timeoutNs' | 'faultCount'> = {
  faults: (ufs, random) => {
    if (random.below(2) === 0) ufs.lld.hci.device.loseNext = 1;
    else ufs.lld.hci.forcedOcs = d.OCS_ABORTED;
  },
  faultEveryNs: 4 * MS,
  faultCount: 30,
  timeoutNs: 100 * MS,
};

/** Random encrypted and plain I/O under the eyes of `watch`, with resets and then with aborts; every bio ends well. */
function watched(watch: NonNullable<Plan['watch']>): Outcome[] {
  return [RESETS, ABORTS].map((faults) => {
    const load = { tasks: 12, iosPerTask: 30, pauseNs: 1 * MS, config: noPower, crypto: { keys: 9 } };
    const outcome = runPlan({ ...load, ...faults, watch });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 360 });
    expect(outcome.statistics.hostResets + outcome.statistics.aborts).toBeGreaterThan(0);
    return outcome;
  });
}

/** Calls `look` before every write to the doorbell. */
function beforeDoorbells(ufs: Ufs, look: (value: number) => void): void {
  const { hci } = ufs.lld;
  const write = hci.write.bind(hci);
  hci.write = (offset, value) => {
    if (offset === r.UTRLDBR) look(value);
    write(offset, value);
  };
}

describe('ringing', () => {
  it('I-33: the doorbell bit of a busy tag is never set again', () => {
    let rings = 0;
    const twice: number[] = [];
    watched((ufs) => {
      beforeDoorbells(ufs, (value) => {
        rings++;
        if ((value & ufs.lld.hci.registers.get(r.UTRLDBR)) !== 0) twice.push(value);
      });
    });
    expect(twice).toEqual([]);
    expect(rings).toBeGreaterThan(700);
  });

  it('I-33: a driver that does is reported, and the command runs once', () => {
    const bench = cryptoBench();
    programmed(bench);
    bench.block.submitAt(0, OP_READ, 0, UNIT, { ...encrypted(), tag: 7 });
    bench.at(40 * US, () => bench.ufs.lld.hci.write(r.UTRLDBR, 1 << 7));
    bench.run();
    expect(bench.laws()).toEqual(['ufshci-misuse']);
    expect(bench.media.calls).toHaveLength(1);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });

  it('I-34: the doorbell is rung only while the list runs', () => {
    const runStop = new Set<number>();
    watched((ufs) => {
      beforeDoorbells(ufs, () => runStop.add(ufs.lld.hci.registers.get(r.UTRLRSR)));
    });
    expect([...runStop]).toEqual([1]);
  });

  it('I-34: a driver that rings it otherwise is reported, and nothing happens', () => {
    const bench = makeBench();
    const { hci } = bench.ufs.lld;
    hci.write(r.UTRLRSR, 0);
    hci.write(r.UTRLDBR, 1);
    expect(hci.read(r.UTRLDBR)).toBe(0);
    expect(hci.outstanding).toBe(0);
    expect(bench.machine.violations.map((v) => v.law)).toEqual(['ufshci-misuse']);
  });
});

describe('completing', () => {
  it('I-35: OCS is 0x0F from submission to completion, and then exactly one other value', () => {
    const atFetch = new Set<number>();
    const before = new Set<number>();
    const after = new Set<number>();
    watched((ufs) => {
      const { hci } = ufs.lld;
      const { words } = hci.memory;
      const [fetch, complete] = [hci.fetch.bind(hci), hci.complete.bind(hci)];
      hci.fetch = (tag, utrd, queue) => {
        atFetch.add(words[utrd + 2] & 0xff);
        fetch(tag, utrd, queue);
      };
      hci.complete = (tag, code) => {
        const at = hci.slots.utrd[tag] + 2;
        before.add(words[at] & 0xff);
        complete(tag, code);
        after.add(words[at] & 0xff);
      };
    });
    expect([...atFetch]).toEqual([d.OCS_PRESET]);
    expect([...before]).toEqual([d.OCS_PRESET]);
    expect([...after].toSorted((a, b) => a - b)).toEqual([d.OCS_SUCCESS, d.OCS_ABORTED]); // injected, the latter
  });

  it('I-37: IS and UTRLCNR change to 0 only where software writes 1', () => {
    const bench = makeBench();
    const { hci } = bench.ufs.lld;
    hci.write(r.IE, 0); // nobody else acknowledges
    for (const tag of [2, 5]) bench.block.submitAt(0, OP_READ, 8 * tag, UNIT, { tag });
    bench.run();
    hci.injectError(r.IS_UE);
    const done = (1 << 2) | (1 << 5);
    const values = (): number[] => [hci.read(r.IS), hci.read(r.UTRLCNR) & done];
    for (const offset of [r.IS, r.UTRLCNR]) hci.write(offset, 0);
    expect(values()).toEqual([r.IS_UTRCS | r.IS_UE, done]);
    hci.write(r.IS, r.IS_UTRCS);
    hci.write(r.UTRLCNR, 1 << 5);
    expect(values()).toEqual([r.IS_UE, 1 << 2]);
  });

  it('I-37: the hardware itself never clears them, whatever happens but a reset of the host', () => {
    const cleared: string[] = [];
    watched((ufs) => {
      const { registers } = ufs.lld.hci;
      const isWatched = (offset: number): boolean => offset === r.IS || offset === r.UTRLCNR;
      const [set, clearBits] = [registers.set.bind(registers), registers.clearBits.bind(registers)];
      registers.set = (offset, value) => {
        if (isWatched(offset) && (registers.get(offset) & ~value) !== 0) cleared.push(`set ${offset}`);
        set(offset, value);
      };
      registers.clearBits = (offset, bits) => {
        if (isWatched(offset)) cleared.push(`clear ${offset}`);
        clearBits(offset, bits);
      };
    });
    expect(cleared).toEqual([]);
  });

  it('I-38: UTRLCLR takes back exactly the commands whose bits are written as 0', () => {
    const bench = makeBench();
    const { hci } = bench.ufs.lld;
    bench.media.readNs = 1 * MS;
    hci.write(r.IE, 0); // the driver does not know, and would try the command again
    for (const tag of [3, 4, 9]) bench.block.submitAt(0, OP_READ, 8 * tag, UNIT, { tag });
    bench.run(100 * US);
    hci.write(r.UTRLCLR, ~((1 << 3) | (1 << 12)) >>> 0); // 12 is free
    expect([hci.read(r.UTRLDBR), hci.outstanding]).toEqual([(1 << 4) | (1 << 9), 2]);
    bench.run(900 * US);
    expect(hci.read(r.UTRLCNR) & (1 << 3)).toBe(0);
    bench.run(5 * MS);
    expect(hci.read(r.UTRLDBR)).toBe(0);
    expect(hci.read(r.UTRLCNR) & ((1 << 3) | (1 << 4) | (1 << 9))).toBe((1 << 4) | (1 << 9));
  });

  it('I-39: the hardware clears a doorbell bit exactly when it records a completion, or is told to clear it', () => {
    const tally = { cleared: 0, recorded: 0, unrecorded: 0 };
    watched((ufs) => {
      const { hci } = ufs.lld;
      const { registers, memory, mem } = { registers: hci.registers, memory: hci.memory, mem: ufs.lld.mem };
      const ocsOf = (tag: number): number => memory.words[memory.word(mem.utrl) + tag * d.UTRD_WORDS + 2] & 0xff;
      let taking = 0;
      const [write, clearBits] = [hci.write.bind(hci), registers.clearBits.bind(registers)];
      hci.write = (offset, value) => {
        taking = offset === r.UTRLCLR ? ~value : 0;
        write(offset, value);
        taking = 0;
      };
      registers.clearBits = (offset, bits) => {
        if (offset === r.UTRLDBR) {
          const tag = 31 - Math.clz32(bits);
          const isRecorded = ocsOf(tag) !== d.OCS_PRESET && (registers.get(r.UTRLCNR) & bits) !== 0;
          tally.cleared++;
          tally.recorded += isRecorded || (taking & bits) !== 0 ? 1 : 0;
        }
        clearBits(offset, bits);
      };
      const complete = hci.complete.bind(hci);
      hci.complete = (tag, code) => {
        complete(tag, code);
        if ((registers.get(r.UTRLDBR) & (1 << tag)) !== 0) tally.unrecorded++;
      };
    });
    expect(tally).toEqual({ cleared: tally.recorded, recorded: tally.recorded, unrecorded: 0 });
    expect(tally.recorded).toBeGreaterThan(700);
  });
});

describe('lengths', () => {
  it('I-44: the PRDT of every command describes the expected data length', () => {
    const lengths: string[] = [];
    let commands = 0;
    watched((ufs) => {
      const { hci } = ufs.lld;
      const { words } = hci.memory;
      const fetch = hci.fetch.bind(hci);
      hci.fetch = (tag, utrd, queue) => {
        fetch(tag, utrd, queue);
        if (tag === ufs.lld.reservedSlot) return;
        commands++;
        const described = d.prdtBytes(words, hci.slots.ucd[tag] + d.UCD_PRDT / 4, words[utrd + 7] & 0xffff);
        if (described !== hci.slots.bytes[tag]) lengths.push(`${described} for ${hci.slots.bytes[tag]}`);
      };
    });
    expect(lengths).toEqual([]);
    expect(commands).toBeGreaterThan(700);
  });

  it.each([
    ['less', 0],
    ['more', 2],
  ])('I-44: a PRDT that describes %s than the command moves is OCS 3', (_what, entries) => {
    const bench = makeBench();
    const { hci, mem } = bench.ufs.lld;
    const { words } = mem.memory;
    bench.block.submitAt(0, OP_WRITE, 0, 2 * UNIT, { segments: 2, tag: 0 });
    bench.run();
    const utrd = mem.memory.word(mem.utrl);
    bench.media.calls.length = 0;
    words[mem.ucdWord(0) + 3] = 0x00100000; // 4096 bytes, big-endian
    words[utrd + 2] = d.OCS_PRESET;
    words[utrd + 7] = ((words[utrd + 7] & 0xffff0000) | entries) >>> 0;
    hci.write(r.UTRLDBR, 1);
    bench.run();
    expect(words[utrd + 2] & 0xff).toBe(d.OCS_SIZE_MISMATCH);
    expect(bench.media.calls).toEqual([]);
  });

  it('I-44: a PRDT with keys is judged alike', () => {
    const bench = cryptoBench({ engine: 'prdt', keyslots: 0, capabilities: [] });
    const { lld } = bench.ufs;
    const compose = lld.compose.bind(lld);
    lld.compose = (rq, slot, utrd, interrupt) => {
      compose(rq, slot, utrd, interrupt);
      lld.mem.memory.words[utrd + 7] += 1;
      prdt.writeKeys(
        lld.mem.memory.words,
        lld.mem.prdtWord(slot),
        2,
        new Uint8Array(64),
        bench.block.requests.dun,
        rq * 8,
      );
      d.encodePrdtEntry(lld.mem.memory.words, lld.mem.prdtWord(slot) + prdt.ENTRY_WORDS, 0, 0x80000000, UNIT);
    };
    const ocs: number[] = [];
    const complete = lld.hci.complete.bind(lld.hci);
    lld.hci.complete = (tag, code) => {
      ocs.push(code);
      complete(tag, code);
    };
    bench.block.submitAt(0, OP_READ, 0, UNIT, { keyId: 4 });
    bench.run();
    expect(new Set(ocs)).toEqual(new Set([d.OCS_SIZE_MISMATCH]));
  });
});

describe('what the driver writes', () => {
  it('one doorbell bit per command, and nothing else to the list while it runs', () => {
    const bench = makeBench();
    const writes = writesOf(bench);
    for (let i = 0; i < 4; i++) readAt(bench, 0, i);
    bench.run();
    const names = writes.filter(({ name }) => name.startsWith('UTRL'));
    expect(names.map(({ name, value }) => `${name}=${value}`)).toEqual([
      'UTRLDBR=1',
      'UTRLDBR=2',
      'UTRLDBR=4',
      'UTRLDBR=8',
    ]);
  });
});
