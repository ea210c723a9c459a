/** Data runs when things go wrong: what recovers keeps law 7; wrong keys show as garbage that is counted; nothing crashes; times are still those without data. */
import { describe, expect, it, vi } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import * as r from '../hosts/ufs/registers.ts';
import { Ufshcd } from '../hosts/ufs/ufshcd.ts';
import { buildStack, type Stack } from './build.ts';
import { createRun } from './run.ts';
import type { RunSummary } from './summary.ts';
import { problemsOf, runDefinition, validExperiment } from './testing.ts';

vi.setConfig({ testTimeout: 60_000 }); // ciphers in TypeScript, on a machine that may be busy

const MS = 1_000_000;
const JOBS = `[mix]
rw=randrw
bsrange=4k-16k
norandommap
iodepth=12
numjobs=3
loops=2
fsync=20
filename=/dev/sda
size=1m
`;
const PRDT = { engine: 'prdt', algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [4096] }] };
const ENGINES: readonly (readonly [string, object])[] = [
  ['keys in registers', { crypto: { keyslots: 3 } }],
  ["Qualcomm's engine", { crypto: { keyslots: 3, engine: 'qcom-ice' } }],
  ['keys in the PRDT', { crypto: PRDT }],
  [
    'submission queues',
    { host: { generation: 'ufs-4.0' }, media: { profile: 'ufs-4.0-tlc' }, crypto: { keyslots: 3 } },
  ],
];

const definition = (more: object, data: string): object => ({
  format: 1,
  seed: 4,
  device: { kind: 'ufs', capacity: '1GiB', power: { clockGating: false, runtimePm: false, autoHibern8: 0 }, ...more },
  queue: { timeout: '500ms' },
  encryption: { jobs: { '*': { keyPer: 'job' } }, fallback: {} },
  workload: { fio: `[global]\ndirect=1\nioengine=libaio\n${JOBS}` },
  run: { data, detail: 'summary' },
});

function driverOf({ device: { lld } }: Stack): Ufshcd {
  if (!(lld instanceof Ufshcd)) throw new Error('the device is no UFS host');
  return lld;
}

type Fault = (driver: Ufshcd, random: RandomStream) => void;

/** So many faults and no more: what is tried five times in vain fails, rightly. */
const MOST_FAULTS = 4;

/** A run with a fault every so often. */
function run(more: object, fault: Fault, everyNs: number, data = 'verify'): RunSummary {
  const experiment = validExperiment(definition(more, data));
  const stack: Stack = buildStack(experiment, () => undefined);
  const { engine } = stack;
  const random = new RandomStream(1, 'faults');
  let faults = 0;
  const timer = engine.createTimer(
    engine.register('test.fault', () => {
      if (faults++ === MOST_FAULTS) return;
      fault(driverOf(stack), random);
      engine.armTimer(timer, engine.now + 1 + random.below(2 * everyNs));
    }),
    0,
    true,
  );
  engine.armTimer(timer, everyNs);
  const running = createRun(experiment, () => undefined, stack);
  while (running.slice(100_000));
  return running.finish(false);
}

function dataOf({ data }: RunSummary): Readonly<Record<string, number>> {
  if (data === undefined) throw new Error('the run had no data');
  return data;
}

const resets: Fault = ({ hci }, random) => {
  hci.injectError([r.IS_DFES, r.IS_HCFES, r.IS_CEFES, r.IS_ULLS][random.below(4)]);
};
const losses: Fault = ({ hci }) => {
  hci.device.loseNext++;
};

describe.each(ENGINES)('with %s', (_name, more) => {
  it.each([
    ['host resets', resets, 1 * MS, 'hostResets'],
    ['commands that are lost, time out and are aborted', losses, 1 * MS, 'aborts'],
  ] as const)('law 7 holds over %s, at the same times', (_fault, fault, everyNs, counter) => {
    const summary = run(more, fault, everyNs);
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    expect(summary.device[counter]).toBeGreaterThan(1);
    const data = dataOf(summary);
    expect(data).toMatchObject({ blocksVerified: data.blocksRead, blocksMismatched: 0 });
    expect(data.blocksRead).toBeGreaterThan(300);
    expect(summary.run).toEqual(run(more, fault, everyNs, 'none').run);
  });
});

describe('a key that is wrong', () => {
  it('because its slot is corrupted shows as garbage that is counted, and breaks no law', () => {
    const corrupts: Fault = ({ hci }, random) => hci.crypto.corrupt(random.below(3));
    const summary = run(ENGINES[0][1], corrupts, 2 * MS);
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    const data = dataOf(summary);
    expect(data.blocksExplained).toBeGreaterThan(10);
    expect(data.blocksMismatched).toBe(data.blocksExplained);
    expect(data.blocksVerified + data.blocksMismatched).toBe(data.blocksRead);
    expect(summary.run).toEqual(run(ENGINES[0][1], corrupts, 2 * MS, 'none').run);
  });

  it('because it is gone is refused by the host: I/Os fail; what was under way shows as garbage', () => {
    const loses: Fault = ({ hci }) => hci.crypto.happened('hibernate');
    const more = { crypto: { keyslots: 3, keysLostOn: ['hibernate'] } };
    const summary = run(more, loses, 1 * MS);
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    expect(summary.warnings?.join()).toMatch(/failed: EIO/);
    const data = dataOf(summary);
    expect(data.blocksUnread).toBeGreaterThan(0);
    expect(data.blocksMismatched).toBe(data.blocksExplained);
    expect(data.blocksVerified).toBeGreaterThan(data.blocksMismatched);
  });

  it('because programming it was torn fails its request and no other', () => {
    const experiment = validExperiment(definition({ crypto: { keyslots: 1 } }, 'verify'));
    const stack = buildStack(experiment, () => undefined);
    driverOf(stack).crypto?.keyslots?.failNext.push('torn');
    const running = createRun(experiment, () => undefined, stack);
    while (running.slice(100_000));
    const summary = running.finish(false);
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    expect(summary.warnings?.join()).toMatch(/failed: EIO/);
    expect(dataOf(summary)).toMatchObject({ blocksMismatched: 0, blocksVerified: dataOf(summary).blocksRead });
  });
});

/** Faults of a definition's plan that concern keys, commands or the host: what they leave of the data. */
const PLANNED: readonly object[] = [
  { fault: 'keyslot-program-failure', how: 'torn' },
  { fault: 'keyslot-corruption' },
  { fault: 'keys-lost' },
  { fault: 'crypto-engine-error', how: 'fatal' },
  { fault: 'crypto-engine-error', how: 'configuration' },
  { fault: 'host-reset' },
  { fault: 'command-lost' },
  { fault: 'command-error' },
  { fault: 'media-read-error' },
  { fault: 'unit-attention' },
];
const CASES = ENGINES.flatMap(([name, more]) =>
  PLANNED.map((fault) => [`${JSON.stringify(fault)} with ${name}`, more, fault] as const),
).filter(([, more, fault]) => problemsOf(planned(more, fault, 'verify')).length === 0);

function planned(more: object, fault: object, data: string): object {
  return { ...definition(more, data), faults: [{ at: '1ms', every: '2ms', count: 3, ...fault }] };
}

describe('faults of the plan crash nothing, break no law, and cost the same time', () => {
  it.each(CASES)('%s', (_name, more, fault) => {
    const { summary } = runDefinition(planned(more, fault, 'verify'));
    const data = dataOf(summary);
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    expect(data.blocksMismatched).toBe(data.blocksExplained);
    expect(data.blocksVerified + data.blocksMismatched).toBe(data.blocksRead);
    const isOfKeys = /corruption|keys-lost/.test(JSON.stringify(fault));
    expect(data.blocksExplained > 0).toBe(isOfKeys);
    expect(summary.run).toEqual(runDefinition(planned(more, fault, 'none')).summary.run);
  });
});
