/** Faults of a definition: what validation refuses, what each does to a run, and what a run tells of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, FAULT_NAMES } from '../faults/kinds.ts';
import { definitionOf, problemsOf, runDefinition, validExperiment, type FinishedRun } from './testing.ts';
import { validateDefinition } from './validate.ts';

const MS = 1_000_000;
const JOBS =
  '[global]\ndirect=1\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnrfiles=6\ntime_based\nruntime=20ms\n[a]\nnumjobs=4\n';
const ALWAYS_ON = { clockGating: false, runtimePm: false, autoHibern8: 0 };

interface More {
  readonly crypto?: object;
  readonly power?: object;
  readonly jobs?: string;
  readonly queue?: object;
  readonly detail?: string;
  readonly isPlain?: boolean;
  /** Keys to draw from for each I/O, instead of one per file. */
  readonly keys?: number;
}

/** Four readers with a key per file on a UFS device with three keyslots. */
function ufs(faults: readonly object[], more: More = {}): object {
  const crypto = { keyslots: 3, ...more.crypto };
  const entry = more.keys === undefined ? { keyPer: 'file' } : { keyPer: 'io', keys: more.keys };
  return {
    format: 1,
    seed: 5,
    device: { kind: 'ufs', capacity: '1GiB', power: more.power ?? ALWAYS_ON, ...(!more.isPlain && { crypto }) },
    ...(!more.isPlain && { encryption: { jobs: { '*': entry } } }),
    queue: { timeout: '50ms', ...more.queue },
    workload: { fio: more.jobs ?? JOBS },
    faults,
    run: { detail: more.detail ?? 'requests' },
  };
}

const nullDevice = (faults: readonly object[], device: object = {}): object => ({
  ...ufs(faults),
  device: { kind: 'null', capacity: '1GiB', crypto: { keyslots: 3 }, ...device },
});

const messages = (definition: object): string[] => problemsOf(definition).map((p) => `${p.path} ${p.message}`);
const ICE = { engine: 'qcom-ice', secureMonitor: { jitter: 0, tailEvery: 0 } };

describe('validation', () => {
  it.each([
    ['a misspelt name', ufs([{ fault: 'host-rest' }]), /^\/faults\/0\/fault must have a "fault": one of/],
    [
      'a wrong parameter',
      ufs([{ fault: 'host-reset' }, { fault: 'command-error', ocs: 'bad' }]),
      /^\/faults\/1\/ocs must be one of/,
    ],
    [
      'an unknown parameter',
      ufs([{ fault: 'keys-lost', whem: 'now' }]),
      /^\/faults\/0\/whem unknown name "whem"; allowed here: .*when/,
    ],
    [
      'a fault of another engine',
      ufs([{ fault: 'smc-busy' }]),
      /with engine "registers" does not offer smc-busy; allowed: keyslot-program-failure/,
    ],
    [
      'keys where nobody encrypts',
      ufs([{ fault: 'keys-lost' }], { isPlain: true }),
      /^\/faults\/0\/fault a ufs device does not offer keys-lost; allowed: host-reset/,
    ],
    [
      'a reset of a null device',
      nullDevice([{ fault: 'host-reset' }]),
      'a null device does not offer host-reset; allowed: keyslot-program-failure',
    ],
    [
      'anything of a plain null device',
      nullDevice([{ fault: 'command-lost' }], { crypto: { keyslots: 0 } }),
      /does not offer command-lost; it offers none/,
    ],
    [
      'tearing what has no bytes',
      nullDevice([{ fault: 'keyslot-program-failure', how: 'torn' }]),
      '/faults/0/how the null device has no key material to tear; allowed: refused',
    ],
    [
      'a slot that is not there',
      ufs([{ fault: 'keyslot-corruption', slot: 3 }]),
      '/faults/0/slot the device has 3 keyslots; allowed: 0 to 2',
    ],
    [
      'many at one time',
      ufs([{ fault: 'host-reset', count: 3 }]),
      '/faults/0/every is missing; must say how far apart the 3 are',
    ],
    [
      'a period for one',
      ufs([{ fault: 'host-reset', every: '1ms' }]),
      /^\/faults\/0\/count must be at least 2 with "every"/,
    ],
    [
      'two things to count',
      ufs([{ fault: 'host-reset', after: { programs: 1, commands: 1 } }]),
      '/faults/0/after must hold either "programs" or "commands"',
    ],
    [
      'programs that never are',
      ufs([{ fault: 'host-reset', after: { programs: 1 } }], { isPlain: true }),
      '/faults/0/after/programs no key is ever programmed in this run',
    ],
    [
      'commands of a null device',
      nullDevice([{ fault: 'keyslot-program-failure', after: { commands: 1 } }]),
      '/faults/0/after/commands a null device counts programs only',
    ],
    [
      'a wait of atomic calls',
      ufs([{ fault: 'smc-wait' }], { crypto: { ...ICE, secureMonitor: { calls: 'atomic' } } }),
      '/faults/0/fault atomic calls of the secure monitor never wait',
    ],
  ] as const)('refuses %s', (_, definition, message) => {
    const [problem, ...others] = messages(definition);
    expect(others).toEqual([]);
    expect(problem).toMatch(message);
  });

  it('warns of a fault after the end', () => {
    const definition = { ...ufs([{ at: '40ms', fault: 'host-reset' }]), run: { until: '30ms' } };
    expect(validateDefinition(definition).problems).toMatchObject([{ severity: 'warning', path: '/faults/0/at' }]);
  });

  it('makes a plan in base units, with defaults', () => {
    const { faults } = validExperiment(
      ufs(
        [
          { fault: 'smc-wait', after: { programs: 2 } },
          { at: '1ms', every: '2us', count: 3, fault: 'host-reset' },
        ],
        { crypto: ICE },
      ),
    );
    expect(faults).toEqual([
      {
        what: { fault: 'smc-wait', durationNs: 10 * MS },
        atNs: 0,
        everyNs: 0,
        count: 1,
        after: { operation: 'programs', count: 2 },
      },
      { what: { fault: 'host-reset' }, atNs: MS, everyNs: 2000, count: 3, after: undefined },
    ]);
    expect(validExperiment(definitionOf({})).faults).toEqual([]);
  });
});

/** Events of room `faults` as `ns kind`. */
function faultEvents(run: FinishedRun): string[] {
  const events = run.tables.get('event');
  const kinds = events?.text('kind') ?? [];
  const atNs = events?.column('at_ns') ?? [];
  return (events?.text('room') ?? []).flatMap((room, i) => (room === 'faults' ? [`${atNs[i]} ${kinds[i]}`] : []));
}

const good = (definition: object): FinishedRun => {
  const run = runDefinition(definition);
  const { violations, deadlock } = run.summary;
  expect({ status: run.summary.run.status, violations, deadlock }).toEqual({
    status: 'done',
    violations: [],
    deadlock: null,
  });
  return run;
};

describe('when a fault strikes', () => {
  it('is when it is due, as often as it says; the summary and the event table tell', () => {
    const run = good(
      ufs(
        [
          { at: '2ms', every: '5ms', count: 3, fault: 'uic-error' },
          { at: '60s', fault: 'host-reset' },
        ],
        { detail: 'full' },
      ),
    );
    expect(run.summary.faults?.injected).toEqual([
      { fault: 'uic-error', atNs: 2 * MS, count: 3 },
      { fault: 'host-reset', atNs: null, count: 0 },
    ]);
    expect(faultEvents(run)).toEqual(['2000000 uic-error', '7000000 uic-error', '12000000 uic-error']);
    expect(run.summary.device.linkErrors).toBe(3);
    expect(run.summary.run.simNs).toBeLessThan(30 * MS); // what never came keeps no run alive
  });

  it('is the operation after those that are spared, and the ones that follow', () => {
    const run = good(ufs([{ fault: 'keyslot-program-failure', after: { programs: 2 }, count: 2 }], { detail: 'full' }));
    const events = run.tables.get('event');
    const kinds = events
      ?.text('kind')
      .filter((kind) => /^keyslot\.program/.test(kind))
      .slice(0, 5);
    expect(kinds).toEqual([
      'keyslot.programmed',
      'keyslot.programmed',
      'keyslot.program_failed',
      'keyslot.program_failed',
      'keyslot.programmed',
    ]);
    expect(run.summary.faults?.injected).toMatchObject([{ count: 2 }]);
  });

  it('is the next operation that it can strike', () => {
    const jobs =
      '[a]\nioengine=psync\nrw=write\nbs=4k\nsize=1m\nnumber_ios=20\n[b]\nstonewall\nioengine=psync\nrw=read\nbs=4k\nsize=1m\n';
    const run = good(ufs([{ fault: 'media-read-error' }], { jobs, isPlain: true }));
    expect(run.summary.jobs.a.write).toMatchObject({ ios: 20 });
    expect(run.summary.jobs.b.read).toMatchObject({ ios: 1, errors: { ENODATA: 1 } });
  });

  it('says nothing of faults when there are none', () => {
    expect(good(ufs([])).summary).not.toHaveProperty('faults');
  });
});

describe('what a fault does', () => {
  const struck = (faults: readonly object[], more: More = {}): FinishedRun => {
    const run = good(ufs(faults, more));
    for (const { fault, count } of run.summary.faults?.injected ?? [])
      expect([fault, count > 0]).toEqual([fault, true]);
    return run;
  };

  it('refused programming fails the I/O, and its job ends as in fio', () => {
    const { jobs, warnings, keyslots } = struck([{ at: '3ms', fault: 'keyslot-program-failure' }]).summary;
    expect(jobs.a.read?.errors).toEqual({ EIO: 1 });
    expect(warnings?.join()).toMatch(/^a\.\d ended early: I\/O \d+ failed: EIO$/);
    expect(keyslots.programs).toBeGreaterThan(10);
  });

  it('with continue_on_error the job goes on after EIO, not after what fio does not ignore', () => {
    const jobs = JOBS.replace('direct=1', 'direct=1\ncontinue_on_error=io');
    const faults = [{ at: '3ms', fault: 'keyslot-program-failure', count: 5 }];
    const { summary } = struck(faults, { jobs });
    expect(summary.jobs.a.read?.errors).toEqual({ EIO: 5 });
    expect(summary.warnings).toEqual([]);
    expect(struck([{ fault: 'media-read-error' }], { jobs }).summary.warnings).toHaveLength(1);
  });

  it('torn programming: the old key is still believed to be there, and its commands are refused by the hardware', () => {
    const jobs = JOBS.replace('numjobs=4', 'numjobs=1').replace('direct=1', 'direct=1\ncontinue_on_error=all');
    const fault = { fault: 'keyslot-program-failure', after: { programs: 9 }, count: 20 };
    for (const crypto of [{}, ICE]) {
      const torn = struck([{ ...fault, how: 'torn' }], { jobs, crypto, keys: 4 });
      expect(torn.summary.device.inlineRefused).toBeGreaterThan(0);
      expect(torn.summary.jobs.a.read?.errors?.EIO).toBeGreaterThan(20);
      const refused = struck([fault], { jobs, crypto, keys: 4 });
      expect(refused.summary.device.inlineRefused).toBe(0);
      expect(refused.summary.jobs.a.read?.errors).toEqual({ EIO: 20 });
    }
  });

  it('a busy monitor: a blocking call pauses 30 ms per try, an atomic one fails the I/O', () => {
    const fault = [{ at: '3ms', fault: 'smc-busy', tries: 3 }];
    const blocking = struck(fault, { crypto: ICE });
    expect(blocking.summary.jobs.a.read?.latNs.max).toBeGreaterThan(90 * MS);
    expect(blocking.summary.jobs.a.read?.errors).toBeUndefined();
    const atomic = struck(fault, { crypto: { ...ICE, secureMonitor: { calls: 'atomic' } } });
    expect(atomic.summary.jobs.a.read?.latNs.max).toBeLessThan(30 * MS);
    expect(atomic.summary.jobs.a.read?.errors).toEqual({ EBUSY: 3 });
  });

  it('a refusing monitor, and one that makes callers wait', () => {
    const refusing = struck([{ at: '3ms', fault: 'smc-failure', result: 'not-supported' }], { crypto: ICE });
    expect(refusing.summary.jobs.a.read?.errors).toEqual({ EOPNOTSUPP: 1 });
    const waiting = struck([{ at: '3ms', fault: 'smc-wait', duration: '70ms' }], { crypto: ICE });
    expect(waiting.summary.jobs.a.read?.latNs.max).toBeGreaterThan(70 * MS);
  });

  it('a self-test that hangs makes a reset 5 ms longer', () => {
    const reset = { at: '4ms', fault: 'host-reset' };
    const simNsOf = (faults: readonly object[]): number => {
      const { request } = struck(faults, { crypto: ICE });
      return Math.max(...request.column('total_ns'));
    };
    const longer = simNsOf([{ fault: 'ice-self-test-hang' }, reset]) - simNsOf([reset]);
    expect(longer).toBeGreaterThan(4.9 * MS);
    expect(longer).toBeLessThan(5.5 * MS);
  });

  it('a corrupted slot: commands with a wrong key, and no error', () => {
    const { device, jobs } = struck([{ at: '3ms', fault: 'keyslot-corruption', slot: 1 }], { keys: 3 }).summary;
    expect(device.wrongKeyCommands).toBeGreaterThan(0);
    expect(jobs.a.read?.errors).toBeUndefined();
  });

  it('keys lost: commands are refused until the slot is programmed again', () => {
    const { device, jobs } = struck([{ at: '3ms', fault: 'keys-lost' }], { keys: 3 }).summary;
    expect(device).toMatchObject({ keyLosses: 1 });
    expect(device.inlineRefused).toBeGreaterThan(0);
    expect(Object.keys(jobs.a.read?.errors ?? {})).toEqual(['EIO']);
  });

  it('keys lost with the next hibernation or suspend, not before', () => {
    const power = { gateAfter: '300us', autosuspend: '3ms', autoHibern8: 0 };
    const pauses =
      '[a]\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnumber_ios=40\nthinktime=5ms\nthinktime_blocks=4\n';
    for (const when of ['hibernate', 'runtime-suspend']) {
      const run = struck([{ at: '1us', fault: 'keys-lost', when }], { power, jobs: pauses, detail: 'full' });
      const kinds = run.tables.get('event')?.text('kind') ?? [];
      expect(kinds.filter((kind) => kind.startsWith('crypto.keys_lost'))).toEqual([`crypto.keys_lost.${when}`]);
      expect(run.summary.jobs.a.read?.errors).toEqual({ EIO: 1 });
    }
  });

  it('engine errors: tried again; a fatal one resets the host; a refusal is OCS 9', () => {
    const general = struck([{ at: '3ms', fault: 'crypto-engine-error' }]).summary.device;
    expect(general).toMatchObject({ inlineErrors: 1, hostResets: 0, retried: 1, failed: 0 });
    const fatal = struck([{ at: '3ms', fault: 'crypto-engine-error', how: 'fatal' }]).summary.device;
    expect(fatal).toMatchObject({ inlineErrors: 1, hostResets: 1, failed: 0 });
    const refused = struck([{ at: '3ms', fault: 'crypto-engine-error', how: 'configuration' }]).summary.device;
    expect(refused).toMatchObject({ inlineErrors: 0, inlineRefused: 1, hostResets: 0, failed: 0 });
  });

  it('a host reset loses no I/O, and programs the keys again', () => {
    const { device, jobs, crypto } = struck([{ at: '3ms', fault: 'host-reset' }]).summary;
    expect(device).toMatchObject({ hostResets: 1, retried: 0, failed: 0 });
    expect(crypto.restored).toBe(3);
    expect(jobs.a.read?.errors).toBeUndefined();
  });

  it('a host that gates its clocks at once gets on after resets: a gate work queued meanwhile does not come at the wrong time', () => {
    const faults = [
      { fault: 'host-reset', at: 9_237_619 },
      { fault: 'crypto-engine-error', at: 5_792_531, how: 'fatal', count: 2, every: 2_621_537 },
    ];
    const run = good({
      ...ufs(faults),
      seed: 113,
      device: {
        kind: 'ufs',
        capacity: '1GiB',
        crypto: { engine: 'qcom-ice', keyslots: 3 },
        power: { generation: 'busy', gateAfter: '30us', autosuspend: '3ms', autoHibern8: '100us' },
      },
      queue: { keyslotPolicy: 'dispatch-block', blocking: true },
      encryption: { jobs: { '*': { keyPer: 'job', churn: { createPerSecond: 2000, evictAfter: '50us' } } } },
      workload: {
        fio: '[a]\ndirect=1\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnumjobs=6\nnumber_ios=40\nthinktime=200us\n',
      },
    });
    expect(run.summary.run.simNs).toBeLessThan(1000 * MS);
    expect(run.summary.device.gates).toBeLessThan(1000);
  });

  it('fatal status bits and lost synchronisation reset the host, other link errors do not', () => {
    const causes = ['link-lost', 'device', 'utp', 'host-controller', 'system-bus', 'crypto-engine'];
    const faults = causes.map((cause, i) => ({ at: `${3 + 100 * i}ms`, fault: 'fatal-error', cause }));
    const jobs = JOBS.replace('runtime=20ms', 'runtime=700ms');
    expect(struck(faults, { jobs, isPlain: true }).summary.device).toMatchObject({ hostResets: 6, failed: 0 });
    const both = [
      { at: '3ms', fault: 'uic-error' },
      { at: '5ms', fault: 'uic-error', error: 'pa-init' },
    ];
    expect(struck(both).summary.device).toMatchObject({ hostResets: 1, linkErrors: 2, failed: 0 });
  });

  it('UIC commands that are lost and links that do not wake end in a reset', () => {
    const power = { gateAfter: '300us', runtimePm: false, autoHibern8: 0 };
    const jobs = '[a]\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnumber_ios=40\nthinktime=2ms\n';
    for (const fault of ['uic-command-lost', 'hibern8-exit-failure']) {
      expect(struck([{ at: '3ms', fault }], { power, jobs }).summary.device).toMatchObject({
        hostResets: 1,
        failed: 0,
      });
    }
  });

  it('a link that starts at the third try takes three resets; one that never does fails all I/O, and the run says so', () => {
    const reset = { at: '3ms', fault: 'host-reset' };
    const third = struck([{ fault: 'link-startup-failure', times: 2 }, reset]).summary;
    expect(third.device).toMatchObject({ hostResets: 3, failed: 0 });
    const never = struck([{ fault: 'link-startup-failure', times: 5 }, reset]).summary;
    expect(never.jobs.a.read?.errors).toEqual({ EIO: 4 });
    expect(never.warnings).toContain('the UFS host is in its error state: 5 host resets did not bring it up');
  });

  it('a lost command times out and is aborted; with the abort lost too, the host is reset', () => {
    const lost = { at: '3ms', fault: 'command-lost' };
    expect(struck([lost]).summary.device).toMatchObject({ aborts: 1, hostResets: 0, failed: 0 });
    const both = struck([lost, { at: '3ms', fault: 'task-management-lost' }]).summary;
    expect(both.device).toMatchObject({ aborts: 0, hostResets: 1, failed: 0 });
  });

  it('command errors are tried again five times; "aborted" as often as it takes', () => {
    const jobs = JOBS.replace('numjobs=4', 'numjobs=1');
    const error = (ocs: string, count: number): FinishedRun['summary'] =>
      struck([{ at: '3ms', fault: 'command-error', ocs, count }], { jobs }).summary;
    expect(error('device-fatal-error', 5).jobs.a.read?.errors).toBeUndefined();
    expect(error('device-fatal-error', 6).jobs.a.read?.errors).toEqual({ EIO: 1 });
    expect(error('aborted', 20).jobs.a.read?.errors).toBeUndefined();
  });

  it('unit attention is told once', () => {
    expect(struck([{ at: '3ms', fault: 'unit-attention' }]).summary.device).toMatchObject({
      checkConditions: 1,
      retried: 1,
      failed: 0,
    });
  });

  it('a null device refuses a key when told to', () => {
    const run = good(nullDevice([{ fault: 'keyslot-program-failure', count: 2 }]));
    expect(run.summary.jobs.a.read?.errors).toEqual({ EIO: 2 });
  });

  it('every kind is described, in the user guide too, and offered by somebody', () => {
    const guide = readFileSync(new URL('../../docs/user-guide.md', import.meta.url), 'utf8');
    for (const name of FAULT_NAMES) {
      const { does, reality, source, offeredBy } = FAULT_KINDS[name];
      expect([does, reality, source].every((text) => text.length > 10) && offeredBy.length > 0).toBe(true);
      expect(guide).toContain(`| \`${name}\``);
    }
  });
});
