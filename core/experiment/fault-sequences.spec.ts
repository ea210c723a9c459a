/**
 * The driver's sequences around keys (inline-crypto.md 6.1-6.4) in the tables of whole runs, with resets planned in the definition: register log, requests, keyslot spans.
 */
import { describe, expect, it } from 'vitest';
import { runDefinition, type FinishedRun, type Rows } from './testing.ts';

const MS = 1_000_000;
const SLOTS = 3;
const HCE_ENABLE = 1;
const HCE_CGE = 2;
const CFGE = 0x8000_0000;

function encryptedRun(faults: readonly object[], power: object, jobs: string): FinishedRun {
  const run = runDefinition({
    format: 1,
    seed: 2,
    device: { kind: 'ufs', capacity: '1GiB', power, crypto: { keyslots: SLOTS } },
    encryption: { jobs: { '*': { keyPer: 'file' } } },
    queue: { scheduler: 'mq-deadline' },
    workload: { fio: jobs },
    faults,
    run: { detail: 'full' },
  });
  expect([run.summary.run.status, run.summary.violations]).toEqual(['done', []]);
  return run;
}

const READERS =
  '[a]\ndirect=1\nioengine=libaio\nrw=randread\nbs=4k\nsize=8m\nnrfiles=2\niodepth=8\ntime_based\nruntime=45ms\n';
const ALWAYS_ON = { clockGating: false, runtimePm: false, autoHibern8: 0 };

interface Write {
  readonly atNs: number;
  readonly name: string;
  readonly value: number;
}

function table(run: FinishedRun, name: 'register_log' | 'keyslot_span' | 'event'): Rows {
  const rows = run.tables.get(name);
  if (rows === undefined) throw new Error(`no rows of ${name}`);
  return rows;
}

/** Writes of the registers that matter here, in order: HCE, doorbell, dwords of the configuration array. */
function writesOf(run: FinishedRun): Write[] {
  const log = table(run, 'register_log');
  const [atNs, value] = [log.column('at_ns'), log.column('new')];
  return log
    .text('name')
    .map((name, i) => ({ atNs: atNs[i], name, value: value[i] }))
    .filter(({ name }) => /^(HCE|UTRLDBR|CRYPTOCFG)/.test(name));
}

const isConfigured = ({ name, value }: Write): boolean => name.startsWith('CRYPTOCFG.16') && value >= CFGE;
const isEnabled = ({ name, value }: Write): boolean => name === 'HCE' && (value & HCE_ENABLE) !== 0;
const isStopped = ({ name, value }: Write): boolean => name === 'HCE' && value === 0;
const isRung = ({ name, value }: Write): boolean => name === 'UTRLDBR' && value !== 0;

describe('probe (inline-crypto.md 6.1)', () => {
  it('comes up with CGE in the write that enables the host, and without a key in any slot', () => {
    const writes = writesOf(encryptedRun([], ALWAYS_ON, READERS));
    const enabled = writes.findIndex(isEnabled);
    expect(writes[enabled]).toMatchObject({ atNs: 0, value: HCE_ENABLE | HCE_CGE });
    expect(writes.slice(0, enabled).filter(isConfigured)).toEqual([]);
  });
});

describe('request (inline-crypto.md 6.2)', () => {
  it('no doorbell is rung for an encrypted command before its slot was configured', () => {
    const run = encryptedRun([{ at: '20ms', fault: 'host-reset' }], ALWAYS_ON, READERS);
    const writes = writesOf(run).filter(({ name }) => name.startsWith('CRYPTOCFG.16'));
    const [issuedNs, slot] = [run.request.column('issued_ns'), run.request.column('keyslot')];
    expect(issuedNs.length).toBeGreaterThan(100);
    for (let row = 0; row < issuedNs.length; row++) {
      const own = writes.filter(({ atNs, name }) => atNs <= issuedNs[row] && name.endsWith(`[${slot[row]}]`));
      expect(own.at(-1)?.value ?? 0).toBeGreaterThanOrEqual(CFGE);
    }
  });
});

describe('host reset (inline-crypto.md 6.3)', () => {
  it('HCE to 0, every key back into its slot, HCE with CGE, and only then doorbells', () => {
    const run = encryptedRun([{ at: '20ms', fault: 'host-reset' }], ALWAYS_ON, READERS);
    const after = writesOf(run).filter(({ atNs }) => atNs >= 20 * MS);
    const stopped = after.findIndex(isStopped);
    const steps = after.slice(stopped).filter((w) => isConfigured(w) || isStopped(w) || isRung(w) || w.name === 'HCE');
    const names = steps.slice(0, 6).map(({ name, value }) => (name === 'HCE' ? `HCE=${value}` : name));
    expect(names).toEqual(['HCE=0', 'CRYPTOCFG.16[0]', 'CRYPTOCFG.16[1]', 'HCE=2', 'HCE=3', 'UTRLDBR']);
    expect(run.summary.crypto.restored).toBe(2);
    const events = table(run, 'event');
    const kinds = events.text('kind');
    const restored = events.column('at_ns').filter((_, i) => kinds[i] === 'keyslot.restored');
    expect([...restored].every((ns) => ns > steps[0].atNs && ns <= steps[3].atNs)).toBe(true);
  });

  it('each key is written in the order that the specification asks for: off, key, on', () => {
    const run = encryptedRun([{ at: '20ms', fault: 'host-reset' }], ALWAYS_ON, READERS);
    const writes = writesOf(run);
    const stopped = writes.findIndex((w) => w.atNs >= 20 * MS && isStopped(w));
    const enabled = writes.findIndex((w, i) => i > stopped && isEnabled(w));
    const own = writes.slice(stopped, enabled).filter(({ name }) => name.endsWith('[1]'));
    const dwords = own.map(({ name }) => Number(/\.(\d+)\[/.exec(name)?.[1]));
    const entry = [16, ...Array.from({ length: 16 }, (_, i) => i), 17, 16];
    expect(dwords.slice(-entry.length)).toEqual(entry);
    expect(own.slice(-entry.length)[0].value).toBe(0);
  });

  it('what was outstanding goes out again with the same slot and DUN, and ends once', () => {
    const large = READERS.replace('bs=4k', 'bs=256k'); // long enough in the device for the reset to find them there
    const plain = encryptedRun([], ALWAYS_ON, large);
    const run = encryptedRun([{ at: '20ms', fault: 'host-reset' }], ALWAYS_ON, large);
    const attempts = run.request.column('attempts');
    const again = Array.from(attempts.keys()).filter((row) => attempts[row] > 1);
    expect(again.length).toBeGreaterThan(3);
    const [id, otherId] = [run.request.column('request_id'), plain.request.column('request_id')];
    for (const row of again) {
      const before = otherId.indexOf(id[row]);
      for (const name of ['key_id', 'keyslot', 'dun', 'sector'])
        expect(run.request.column(name)[row]).toBe(plain.request.column(name)[before]);
    }
    expect(new Set(id).size).toBe(id.length);
    expect(run.request.text('status').every((status) => status === 'ok')).toBe(true);
  });

  it('spans show idle slots being programmed again', () => {
    const jobs = `${READERS}[late]\nstonewall\ndirect=1\nioengine=psync\nrw=read\nbs=4k\nsize=8m\nstartdelay=40ms\nnumber_ios=8\n`;
    const spans = table(encryptedRun([{ at: '65ms', fault: 'host-reset' }], ALWAYS_ON, jobs), 'keyslot_span');
    const [slot, startNs] = [spans.column('slot'), spans.column('start_ns')];
    const programmed = spans
      .text('state')
      .flatMap((state, i) =>
        state === 'programming' && startNs[i] > 65 * MS && startNs[i] < 75 * MS ? [slot[i]] : [],
      );
    expect(programmed).toEqual([0, 1]);
  });

  it('while a key is being programmed waits for it; during another reset it is one that follows', () => {
    const during = encryptedRun([{ fault: 'host-reset', after: { programs: 1 } }], ALWAYS_ON, READERS);
    expect(during.summary.device).toMatchObject({ hostResets: 1, failed: 0 });
    const twice = [{ at: '20ms', fault: 'host-reset' }, { at: '23ms', fault: 'host-reset' }]; // prettier-ignore
    expect(encryptedRun(twice, ALWAYS_ON, READERS).summary.device).toMatchObject({ hostResets: 2, failed: 0 });
  });
});

describe('suspend, resume, gating (inline-crypto.md 6.4)', () => {
  const pauses =
    '[a]\ndirect=1\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnrfiles=2\nnumber_ios=30\nthinktime=8ms\nthinktime_blocks=2\n';
  const power = { gateAfter: '500us', autosuspend: '3ms', autoHibern8: 0 };

  it('keys are kept through gated clocks, hibern8 and runtime suspend: nobody writes them again', () => {
    const run = encryptedRun([], power, pauses);
    expect(run.summary.device.runtimeSuspends).toBeGreaterThan(5);
    expect(writesOf(run).filter(isConfigured)).toHaveLength(2);
    expect(run.summary.keyslots.programs).toBe(2);
  });

  it('a link that does not leave hibern8 leads to a reset, and that to keys being programmed again', () => {
    const run = encryptedRun([{ at: '20ms', fault: 'hibern8-exit-failure' }], power, pauses);
    expect(run.summary.device).toMatchObject({ hostResets: 1, failed: 0 });
    expect(run.summary.crypto.restored).toBe(2);
    expect(writesOf(run).filter(isConfigured)).toHaveLength(4);
  });

  it('a reset while the clocks are gated, or the device suspended, brings everything up and loses nothing', () => {
    for (const at of ['20ms', '25ms', '33ms']) {
      const run = encryptedRun([{ at, fault: 'host-reset' }], power, pauses);
      expect(run.summary.device).toMatchObject({ hostResets: 1, failed: 0 });
      expect(run.summary.crypto.restored).toBe(2);
    }
  });
});
