import { describe, expect, it } from 'vitest';
import { OP_READ, OP_WRITE, STS_IOERR, STS_OK, STS_TARGET } from '../../block/types.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import { makeBench, readAt } from './testing.ts';
import { STATE_ERROR, STATE_OPERATIONAL, STATE_RESET } from './ufshcd.ts';

const MS = 1_000_000;

describe('OCS codes (inline-crypto.md 3.9)', () => {
  it.each([d.OCS_FATAL, d.OCS_PEER_FAILURE, d.OCS_SIZE_MISMATCH, d.OCS_INVALID_CRYPTO])(
    'code %i is an error: the command is tried again',
    (ocs) => {
      const bench = makeBench();
      bench.ufs.lld.hci.forcedOcs = ocs;
      const rq = readAt(bench, 0, 1);
      bench.run();
      expect(bench.block.requeued).toEqual([rq]);
      expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
      expect(bench.ufs.statistics()).toMatchObject({ retried: 1, requeued: 1 });
    },
  );

  it('code 6, aborted, goes back to the queue and is no retry', () => {
    const bench = makeBench();
    bench.ufs.lld.hci.forcedOcs = d.OCS_ABORTED;
    readAt(bench, 0, 1);
    bench.run();
    expect(bench.ufs.statistics()).toMatchObject({ retried: 0, requeued: 1 });
  });

  it('an error that stays ends the command with EIO after five retries', () => {
    const bench = makeBench();
    bench.block.onComplete = () => undefined;
    const rq = readAt(bench, 0, 1);
    const again = bench.engine.register('test.force', () => {
      bench.ufs.lld.hci.forcedOcs = d.OCS_FATAL;
    });
    for (let i = 0; i < 100; i++) bench.engine.at(i * 10_000, again, 0);
    bench.run();
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_IOERR }]);
    expect(bench.ufs.statistics().retried).toBe(5);
  });

  it('a read beyond the end of the device is an illegal request', () => {
    const bench = makeBench({ capacityBytes: 4096 * 100 });
    readAt(bench, 0, 100);
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_TARGET]);
  });

  it('unit attention is told to the next command, which is tried again', () => {
    const bench = makeBench();
    bench.ufs.lld.hci.device.unitAttention = true;
    const rq = readAt(bench, 0, 1);
    bench.run();
    expect(bench.block.requeued).toEqual([rq]);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
  });
});

describe('timeouts', () => {
  const timeOut = (bench: ReturnType<typeof makeBench>, rq: number, atNs: number): void => {
    const task = bench.machine.createTask(
      'timeout',
      1,
      bench.engine.register('test.timeout', () => {
        results.push(bench.ufs.lld.timeout(bench.machine.current, rq));
        bench.machine.exit(bench.machine.current);
      }),
    );
    bench.engine.at(
      atNs,
      bench.engine.register('test.timeout-due', () => bench.machine.wake(-1, task)),
      0,
    );
  };
  let results: boolean[] = [];

  it('a lost command is queried, aborted, cleared and tried again', () => {
    results = [];
    const bench = makeBench();
    bench.ufs.lld.hci.device.loseNext = 1;
    const rq = readAt(bench, 0, 1);
    timeOut(bench, rq, 30 * MS);
    bench.run();
    expect(results).toEqual([true]);
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_OK }]);
    expect(bench.ufs.statistics()).toMatchObject({ aborts: 1, taskManagement: 2, hostResets: 0 });
    expect(bench.block.requests.rows.total(rq)).toBe(bench.block.completed[0].atNs);
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });

  it('a command that completed meanwhile re-arms the timer', () => {
    results = [];
    const bench = makeBench();
    const rq = readAt(bench, 0, 1);
    timeOut(bench, rq, 30 * MS);
    bench.run();
    expect(results).toEqual([false]);
    expect(bench.ufs.statistics().aborts).toBe(0);
  });

  it('an abort waits until the flash lets go of the command', () => {
    results = [];
    const bench = makeBench();
    bench.media.readNs = 5 * MS;
    const rq = readAt(bench, 0, 1);
    timeOut(bench, rq, 1 * MS);
    bench.run();
    expect(bench.ufs.statistics()).toMatchObject({ aborts: 1 });
    expect(bench.media.calls).toEqual(['read 1+1', 'read 1+1']);
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_OK }]);
    expect(bench.block.completed[0].atNs).toBeGreaterThan(10 * MS);
  });

  it('task management that is not answered leads to a host reset', () => {
    results = [];
    const bench = makeBench();
    bench.ufs.lld.hci.device.loseNext = 1;
    bench.ufs.lld.hci.tasks.loseNext = 1;
    const rq = readAt(bench, 0, 1);
    timeOut(bench, rq, 30 * MS);
    bench.run();
    expect(bench.ufs.statistics()).toMatchObject({ aborts: 0, hostResets: 1 });
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_OK }]);
  });
});

describe('host reset (inline-crypto.md 6.3)', () => {
  it('a fatal bit sends everything outstanding back to the queue and brings the host up again', () => {
    const bench = makeBench();
    bench.media.readNs = bench.media.writeNs = 2 * MS;
    const rqs = [0, 1, 2, 3].map((i) => bench.block.submitAt(0, i % 2 ? OP_WRITE : OP_READ, i * 8, 4096));
    bench.run(1 * MS);
    bench.ufs.lld.hci.injectError(r.IS_DFES);
    bench.run(2 * MS);
    expect(bench.ufs.lld.state).toBe(STATE_RESET);
    expect(bench.block.requeued).toEqual(rqs);
    expect(bench.media.aborted).toBe(1);
    bench.run();
    expect(bench.ufs.lld.state).toBe(STATE_OPERATIONAL);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK, STS_OK, STS_OK, STS_OK]);
    for (const c of bench.block.completed) expect(bench.block.requests.rows.total(c.rq)).toBe(c.atNs);
    expect(bench.ufs.statistics()).toMatchObject({ hostResets: 1, retried: 0 });
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });

  it('new commands are told host busy meanwhile, and served afterwards', () => {
    const bench = makeBench();
    bench.engine.at(
      1000,
      bench.engine.register('test.reset', () => bench.ufs.reset(-1)),
      0,
    );
    const rq = readAt(bench, 5 * MS, 1);
    bench.run();
    expect(bench.block.refused).toContain(rq);
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_OK }]);
  });

  it('the register file is reset and set up anew; the link runs at its gear again', () => {
    const bench = makeBench();
    bench.engine.at(
      1000,
      bench.engine.register('test.reset', () => bench.ufs.reset(-1)),
      0,
    );
    bench.run();
    const { hci } = bench.ufs.lld;
    expect(hci.read(r.HCE)).toBe(1);
    expect(hci.read(r.UTRLRSR)).toBe(1);
    expect(hci.read(r.UTRLBA)).toBe(bench.ufs.lld.mem.utrl);
    expect(hci.link.mode).toEqual({ gear: 4, lanes: 2, rate: 'B' });
  });

  it('at any time while completions of several queues are on their way: nothing is taken twice, nothing is left', () => {
    for (let atNs = 100_000; atNs < 200_000; atNs += 700) {
      const bench = makeBench({ mcqQueues: 4 });
      for (let i = 0; i < 24; i++) readAt(bench, i * 3_000, i);
      bench.engine.at(
        atNs,
        bench.engine.register('test.fatal', () => bench.ufs.lld.hci.injectError(r.IS_DFES)),
        0,
      );
      bench.run();
      expect(bench.block.completed.map((c) => c.status)).toEqual(new Array(24).fill(STS_OK));
      expect(bench.ufs.checkEmpty()).toEqual([]);
    }
  });

  it('gives up after five attempts: the host is in its error state and fails commands', () => {
    const bench = makeBench();
    bench.ufs.lld.hci.uic.neverStarts = true;
    bench.engine.at(
      1000,
      bench.engine.register('test.reset', () => bench.ufs.reset(-1)),
      0,
    );
    const rq = readAt(bench, 5 * MS, 1);
    bench.run();
    expect(bench.ufs.statistics().hostResets).toBe(5);
    expect(bench.ufs.lld.state).toBe(STATE_ERROR);
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_IOERR }]);
  });

  it('a link error that is not fatal is read, cleared and lived with', () => {
    const bench = makeBench();
    bench.ufs.lld.hci.injectError(r.IS_UE, 1);
    bench.run();
    expect(bench.ufs.statistics()).toMatchObject({ linkErrors: 1, hostResets: 0 });
    expect(bench.ufs.lld.hci.read(r.UECDL)).toBe(0);
    expect(bench.ufs.lld.state).toBe(STATE_OPERATIONAL);
  });

  it('PA_INIT in UECDL resets the host', () => {
    const bench = makeBench();
    bench.ufs.lld.hci.injectError(r.IS_UE, 1 << 13);
    bench.run();
    expect(bench.ufs.statistics()).toMatchObject({ hostResets: 1 });
  });

  it('a failed hibern8 exit is a broken link: host reset, and the command that waited is served', () => {
    const bench = makeBench({
      clockGating: { on: true, generation: 'blocking', gateAfterNs: 10 * MS, ungateNs: 200_000 },
    });
    readAt(bench, 0, 1);
    bench.run(30 * MS);
    bench.ufs.lld.hci.uic.breakNextExit = true;
    const late = readAt(bench, 50 * MS, 2);
    bench.run(200 * MS);
    expect(bench.ufs.statistics()).toMatchObject({ hostResets: 1 });
    expect(bench.block.completed.find((c) => c.rq === late)?.status).toBe(STS_OK);
  });
});
