/** Host resets and their keys: what is restored, in which order, and what becomes of commands (inline-crypto.md 6.3; 7, I-46, I-47, I-50, I-54, I-69); and the end of a host (I-62, I-63). */
import { describe, expect, it } from 'vitest';
import { OP_READ, OP_WRITE, STS_IOERR, STS_OK } from '../../block/types.ts';
import { OK } from '../../crypto/profile/types.ts';
import { cryptoBench, type CryptoBench, gating, keyIn, ORDER, registerLog, UNIT } from './crypto-testing.ts';
import { NEXT } from './ufshcd-scripts.ts';
import { STATE_OPERATIONAL } from './ufshcd.ts';

const US = 1_000;
const MS = 1_000_000;

describe('host reset (inline-crypto.md 6.3)', () => {
  it('I-47: every key is programmed again, then HCE is written with CGE, then comes the first doorbell (S-4)', () => {
    const { log, lines } = registerLog(ORDER);
    const bench = cryptoBench({}, {}, { log });
    bench.get(0, 1);
    bench.get(0, 2, (slot) => bench.profile.put(-1, slot)); // idle keys are restored too
    bench.block.submitAt(1 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.at(1 * MS + 20 * US, () => {
      lines.length = 0;
      bench.ufs.reset(-1);
    });
    bench.run();
    const order = lines.filter((line) => !line.endsWith(']=0') && line !== 'UTRLDBR=0');
    expect(order.slice(0, 6)).toEqual([
      'HCE=0',
      'CRYPTOCFG.16[0]=80000008',
      'CRYPTOCFG.16[1]=80000008',
      'HCE=2',
      'HCE=3',
      'UTRLDBR=80000000', // the reserved slot: the driver's own commands come first
    ]);
    expect(bench.profile.counters.restored).toBe(2);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
  });

  it('I-54: requests that a reset requeues go out again with the same slot and DUN', () => {
    const bench = cryptoBench();
    const { lld } = bench.ufs;
    const sent: number[][] = [];
    const compose = lld.compose.bind(lld);
    lld.compose = (rq, slot, utrd, interrupt) => {
      compose(rq, slot, utrd, interrupt);
      const { words } = lld.mem.memory;
      sent.push([rq, words[utrd] & 0x008000ff, words[utrd + 1], words[utrd + 3]]);
    };
    bench.get(0, 1);
    bench.media.writeNs = 5 * MS;
    for (let i = 0; i < 31; i++) {
      bench.block.submitAt(MS, OP_WRITE, 8 * i, UNIT, { keyslot: 0, keyId: 1, dunLow: i, dunHigh: 9, tag: i });
    }
    bench.at(2 * MS, () => bench.ufs.reset(-1));
    bench.run();
    expect(bench.block.requeued).toHaveLength(31);
    const byRequest = (half: number[][]): number[][] => half.toSorted((a, b) => a[0] - b[0]);
    expect(byRequest(sent.slice(31))).toEqual(byRequest(sent.slice(0, 31)));
    expect(sent[3]).toEqual([3, 0x00800000, 3, 9]);
    expect(bench.block.completed.every((c) => c.status === STS_OK)).toBe(true);
    expect(bench.laws()).toEqual([]);
  });

  it('I-50: restoring keys resumes nobody: usage counts stay as they are', () => {
    const bench = cryptoBench();
    bench.get(0, 1);
    let resumes = 0;
    const getSync = bench.ufs.lld.power.getSync.bind(bench.ufs.lld.power);
    bench.ufs.lld.power.getSync = (x) => {
      resumes++;
      getSync(x);
    };
    bench.at(MS, () => {
      resumes = 0;
      bench.ufs.reset(-1);
    });
    bench.run();
    expect([bench.profile.counters.restored, resumes]).toEqual([1, 0]);
  });

  it('a programmer that sleeps for the clocks with the profile lock does not keep the reset from ending', () => {
    for (const generation of ['busy', 'blocking'] as const) {
      const bench = cryptoBench({}, gating(generation));
      const statuses: number[] = [];
      bench.at(10 * MS - 1, () => bench.ufs.reset(-1));
      bench.get(10 * MS, 1, (_slot, status) => statuses.push(status));
      bench.get(10 * MS, 2, (_slot, status) => statuses.push(status));
      bench.run();
      expect(statuses).toEqual([OK, OK]);
      expect([keyIn(bench, 0), keyIn(bench, 1)]).toEqual([1, 2]);
      expect(bench.ufs.lld.state).toBe(STATE_OPERATIONAL);
      expect(bench.ufs.statistics().hostResets).toBe(1);
    }
  });

  it('at any time: keys in the hardware are those of the profile afterwards, and nothing is left', () => {
    for (let at = 0; at < 400; at += 7) {
      const bench = cryptoBench({ programNs: 40 * US }, gating(at % 2 === 0 ? 'busy' : 'blocking', 300 * US));
      for (let keyId = 0; keyId < 6; keyId++) {
        bench.get(keyId * 60 * US, keyId, (slot) => {
          const { now } = bench.engine;
          bench.at(now + 100 * US, () => bench.profile.put(-1, slot));
          if (keyId === 2) bench.evict(now + 150 * US, 2);
        });
      }
      bench.at(at * US, () => bench.ufs.reset(-1));
      bench.run();
      const inProfile = Array.from(bench.profile.table.key.slice(0, 4));
      expect([0, 1, 2, 3].map((slot) => keyIn(bench, slot))).toEqual(inProfile);
      expect(bench.ufs.checkEmpty()).toEqual([]);
      expect(bench.laws()).toEqual([]);
      expect(bench.ufs.lld.hci.crypto.unclockedWrites).toBe(0);
    }
  });

  it('I-46: every slot with a key has it again before the first encrypted doorbell', () => {
    const bench = cryptoBench();
    const { hci } = bench.ufs.lld;
    bench.get(0, 1);
    bench.get(0, 2, (slot) => bench.profile.put(-1, slot));
    const keys: number[][] = [];
    const admit = hci.crypto.admit.bind(hci.crypto);
    hci.crypto.admit = (tag, utrd) => {
      keys.push([keyIn(bench, 0), keyIn(bench, 1)]);
      return admit(tag, utrd);
    };
    bench.media.writeNs = 5 * MS;
    bench.block.submitAt(MS, OP_WRITE, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.at(2 * MS, () => bench.ufs.reset(-1));
    bench.at(2 * MS + 5 * US, () => keys.push([keyIn(bench, 0), keyIn(bench, 1)]));
    bench.run();
    expect(keys).toEqual([
      [1, 2],
      [-1, -1], // HCE is 0
      [1, 2],
    ]);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
  });

  it('I-46: a driver that forgets to is found out by the hardware', () => {
    const bench = cryptoBench();
    bench.crypto.reprogram = () => NEXT;
    bench.get(0, 1);
    bench.at(1 * MS, () => bench.ufs.reset(-1));
    bench.block.submitAt(100 * MS, OP_WRITE, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_IOERR]);
    expect(bench.ufs.statistics()).toMatchObject({ inlineRefused: 6, wrongKeyCommands: 6 });
  });

  it('I-69: every outstanding command is given back exactly once, and every request ends exactly once', () => {
    const bench = cryptoBench();
    bench.get(0, 1, (slot) => bench.at(200 * MS, () => bench.profile.put(-1, slot)));
    bench.media.writeNs = 5 * MS;
    const all = Array.from({ length: 31 }, (_, i) =>
      bench.block.submitAt(MS, OP_WRITE, 8 * i, UNIT, { ...(i % 2 === 0 && { keyslot: 0, keyId: 1 }), tag: i }),
    );
    for (const at of [2, 60, 120]) bench.at(at * MS, () => bench.ufs.reset(-1));
    bench.run();
    expect(bench.block.requeued.toSorted((a, b) => a - b)).toEqual(all);
    expect(bench.block.completed.map((c) => c.rq).toSorted((a, b) => a - b)).toEqual(all);
    expect(bench.ufs.statistics().hostResets).toBe(3);
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });
});

describe('removing the host (inline-crypto.md 6.5, 6.7 S-16)', () => {
  const used = (): CryptoBench => {
    const bench = cryptoBench();
    bench.profile.register(false);
    bench.get(0, 1, (slot) => bench.profile.put(-1, slot));
    bench.get(0, 2, (slot) => bench.profile.put(-1, slot));
    bench.run();
    return bench;
  };

  it('I-63: leaves no key in profile or hardware, and twice is once', () => {
    const bench = used();
    expect([keyIn(bench, 0), keyIn(bench, 1)]).toEqual([1, 2]);
    bench.profile.unregister();
    bench.ufs.remove();
    bench.ufs.remove();
    expect([bench.profile.slots, [...bench.profile.table.key]]).toEqual([0, [-1, -1, -1, -1]]);
    expect([keyIn(bench, 0), keyIn(bench, 1)]).toEqual([-1, -1]);
    for (const keyId of [1, 2]) bench.keys.free(keyId); // no slot points at them
    bench.run();
    expect(bench.laws()).toEqual([]);
  });

  it('I-62: before its queues are gone is reported', () => {
    const bench = used();
    bench.ufs.remove();
    expect(bench.laws()).toEqual(['keyslot-lifetime']);
  });
});
