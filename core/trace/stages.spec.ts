import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { isWaiting, STAGE_IDS, STAGE_STRIDE, stageColumn, stageIndex, StageRows, type StageId } from './stages.ts';

/** The ids that the design fixes, in its order: they are column names of stored projects and must never change. */
const DESIGNED =
  'submit dm.map dm.crypt.queue dm.crypt.cpu dm.crypt.engine dm.crypt.backlog dm.crypt.alloc dm.crypt.write_thread dm.verity.queue dm.verity.cpu ' +
  'dm.verity.engine dm.verity.metadata dm.verity.fec fallback.queue fallback.cpu wait.tag wait.keyslot keyslot.program wait.plug wait.sched ' +
  'wait.dispatch wait.requeue wait.power wait.flush host.cpu host.queue link inline media.wait media complete.irq complete.softirq complete.cpu';

const stagesOf = (rows: StageRows, row: number): Record<string, number> =>
  Object.fromEntries(
    STAGE_IDS.map((id, s): [string, number] => [id, rows.ns[row * STAGE_STRIDE + s]]).filter(([, ns]) => ns !== 0),
  );
const at = (id: StageId): number => stageIndex(id);

describe('the stage ids', () => {
  it('hold those of the design, are unique, and fit into a row', () => {
    expect(DESIGNED.split(' ').filter((id) => !STAGE_IDS.some((s) => s === id))).toEqual([]);
    expect(new Set(STAGE_IDS).size).toBe(STAGE_IDS.length);
    expect(STAGE_STRIDE).toBeGreaterThanOrEqual(STAGE_IDS.length);
  });

  it('give column names that SQL takes without quotes, each its own', () => {
    const columns = STAGE_IDS.map(stageColumn);
    for (const column of columns) expect(column).toMatch(/^st_[a-z_]+_ns$/);
    expect(new Set(columns).size).toBe(columns.length);
    expect(stageColumn('dm.crypt.write_thread')).toBe('st_dm_crypt_write_thread_ns');
  });

  it('are either waiting or working', () => {
    expect(STAGE_IDS.filter(isWaiting).toSorted()).toEqual(
      [
        'dm.crypt.queue',
        'dm.crypt.backlog',
        'dm.crypt.alloc',
        'dm.verity.queue',
        'fallback.queue',
        'wait.tag',
        'wait.keyslot',
        'wait.plug',
        'wait.sched',
        'wait.dispatch',
        'wait.requeue',
        'wait.power',
        'wait.flush',
        'host.queue',
        'media.wait',
        'wait.link',
        'device.wait',
        'wait.queue',
      ].toSorted(),
    );
  });
});

describe('a row of stages', () => {
  it('sums to the time since its start, whatever was marked', () => {
    const random = new RandomStream(1, 'marks');
    const rows = new StageRows(3);
    let nowNs = 1_000_000;
    rows.start(1, nowNs);
    for (let i = 0; i < 1000; i++) {
      nowNs += random.below(10_000);
      rows.mark(1, random.below(STAGE_IDS.length), nowNs);
      expect(rows.total(1)).toBe(rows.lastNs[1] - rows.startNs[1]);
    }
    expect(rows.total(1)).toBe(nowNs - 1_000_000);
    expect([rows.total(0), rows.total(2)]).toEqual([0, 0]);
  });

  it('is empty after starting again, and keeps its content when the columns grow', () => {
    const rows = new StageRows(1);
    rows.start(0, 10);
    rows.mark(0, at('submit'), 25);
    rows.grow(4);
    expect(stagesOf(rows, 0)).toEqual({ submit: 15 });
    rows.start(0, 30);
    expect([stagesOf(rows, 0), rows.startNs[0], rows.lastNs[0]]).toEqual([{}, 30, 30]);
  });

  it('of a bio merged into a request gains what the request gains while both run', () => {
    const bios = new StageRows(2);
    const requests = new StageRows(1);
    bios.start(0, 0);
    bios.mark(0, at('submit'), 100);
    requests.copyFrom(0, bios, 0); // the request takes over its first bio
    bios.start(1, 150);
    bios.mark(1, at('submit'), 200);
    requests.mark(0, at('wait.plug'), 200);
    bios.join(1, requests, 0);
    requests.mark(0, at('media'), 900);
    bios.leave(1, requests, 0);
    bios.copyFrom(0, requests, 0);
    expect(stagesOf(bios, 0)).toEqual({ submit: 100, 'wait.plug': 100, media: 700 });
    expect(stagesOf(bios, 1)).toEqual({ submit: 50, media: 700 });
    expect([bios.total(0), bios.total(1)]).toEqual([900, 750]);
  });

  it('of an I/O that fans out takes over the child that ended last, and still sums up', () => {
    const ios = new StageRows(1);
    const bios = new StageRows(2);
    ios.start(0, 0);
    ios.mark(0, at('submit'), 40); // submitting the first half until 20, the second until 40
    bios.start(0, 20);
    bios.mark(0, at('media'), 300);
    bios.start(1, 40);
    bios.mark(1, at('wait.tag'), 100);
    bios.mark(1, at('media'), 500);
    ios.adopt(0, bios, 1, at('submit'));
    expect(stagesOf(ios, 0)).toEqual({ submit: 40, 'wait.tag': 60, media: 400 });
    expect(ios.total(0)).toBe(500);
  });

  it('takes back the overlap when the critical child started before the fan-out ended', () => {
    const ios = new StageRows(1);
    const bios = new StageRows(1);
    ios.start(0, 0);
    bios.start(0, 20);
    bios.mark(0, at('media'), 500);
    ios.mark(0, at('submit'), 40);
    ios.adopt(0, bios, 0, at('submit'));
    expect(stagesOf(ios, 0)).toEqual({ submit: 20, media: 480 });
    expect(ios.total(0)).toBe(500);
  });
});
