/** Random fault plans over engines, policies, power saving and both queue modes: whatever goes wrong and when, the laws hold, nothing is left over, and it is the same twice. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { FAULT_KINDS, faultsOfferedBy, type Offerer } from '../faults/kinds.ts';
import type { FaultName } from '../faults/plan.ts';
import { rowProblems, runDefinition, type FinishedRun } from './testing.ts';

const PLANS = 60;
const HORIZON_NS = 6_000_000;

const POWERS = [
  { clockGating: false, runtimePm: false, autoHibern8: 0 },
  { generation: 'blocking', gateAfter: '30us', autosuspend: '3ms', autoHibern8: 0 },
  { generation: 'busy', gateAfter: '30us', autosuspend: '3ms', autoHibern8: '100us' },
  { generation: 'blocking', gateAfter: '100us', autosuspend: '2ms', autoHibern8: '50us' },
];
const POLICIES = ['submit', 'before-tag', 'dispatch-block', 'dispatch-hold-encrypted', 'dispatch-hold-key'];
const ENTRIES = [
  { keyPer: 'file' },
  { keyPer: 'io', keys: 7, plainShare: 0.33, ivLayout: 'iv-ino-lblk-32' },
  { keyPer: 'job', churn: { createPerSecond: 2000, evictAfter: '50us' } },
];
const JOBS = [
  '[a]\nioengine=libaio\nrw=randrw\nbsrange=4k-64k\niodepth=12\nsize=32m\nnrfiles=8\nnumber_ios=150\n',
  '[a]\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnumjobs=6\nnumber_ios=40\nthinktime=200us\n',
  '[a]\nioengine=libaio\nrw=write\nbs=4k\nsize=8m\niodepth=16\niodepth_batch=8\nfsync=16\nnumber_ios=128\n',
  '[a]\nioengine=io_uring\nrw=randrw\nbs=16k\nsize=8m\niodepth=40\nnumjobs=2\nnumber_ios=150\n[t]\nrw=randtrim\nbs=64k\nsize=8m\nnumber_ios=20\n',
];

interface Engine {
  readonly name: Offerer | 'none';
  readonly crypto: object | undefined;
}
const ENGINES: readonly Engine[] = [
  { name: 'registers', crypto: { keyslots: 3 } },
  { name: 'qcom-ice', crypto: { keyslots: 3, engine: 'qcom-ice' } },
  { name: 'qcom-ice', crypto: { keyslots: 3, engine: 'qcom-ice', secureMonitor: { calls: 'atomic' } } },
  { name: 'prdt', crypto: { engine: 'prdt', algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [4096] }] } },
  { name: 'none', crypto: undefined },
];
const LOSSES = ['host-reset', 'hce-disable', 'hibernate', 'runtime-suspend'];

/** Values of the parameters that are drawn; the others stay at their defaults. */
const PARAMETERS: Readonly<Partial<Record<FaultName, Readonly<Record<string, readonly unknown[]>>>>> = {
  'keyslot-program-failure': { how: ['refused', 'torn'] },
  'smc-busy': { tries: [1, 2, 7, 22, 25] },
  'smc-failure': { result: ['error', 'invalid-argument', 'not-supported', 'no-memory'] },
  'keyslot-corruption': { slot: [0, 1, 2] },
  'keys-lost': { when: ['now', 'hibernate', 'runtime-suspend'] },
  'crypto-engine-error': { how: ['general', 'fatal', 'configuration'] },
  'fatal-error': { cause: ['link-lost', 'device', 'utp', 'host-controller', 'system-bus', 'crypto-engine'] },
  'uic-error': { error: ['data-link', 'pa-init'] },
  'link-startup-failure': { times: [1, 2, 3] },
  'command-error': { ocs: ['invalid-command-table', 'aborted', 'fatal-error', 'peer-communication-failure'] },
};

const draw = <T>(random: RandomStream, from: readonly T[]): T => from[random.below(from.length)];

function drawFault(random: RandomStream, kinds: readonly FaultName[], programs: boolean): object {
  const fault = draw(random, kinds);
  const choices = Object.entries<readonly unknown[]>(PARAMETERS[fault] ?? {});
  const parameters: Record<string, unknown> = {};
  for (const [name, values] of choices) parameters[name] = draw(random, values);
  const hasAfter = random.below(3) === 0;
  const operation = programs && random.below(2) === 0 ? 'programs' : 'commands';
  const count = random.below(3) === 0 ? 2 + random.below(6) : 1;
  const mustSpread = FAULT_KINDS[fault].strikes === undefined && !hasAfter;
  const isSpread = count > 1 && (mustSpread || random.below(2) === 0);
  return {
    fault,
    at: random.below(HORIZON_NS),
    ...parameters,
    ...(hasAfter && { after: { [operation]: random.below(60) } }),
    count,
    ...(isSpread && { every: 1 + random.below(HORIZON_NS / 3) }),
  };
}

interface Plan {
  readonly definition: object;
  readonly isMcq: boolean;
}

function drawPlan(seed: number): Plan {
  const random = new RandomStream(seed, 'fault-plans');
  const { name, crypto } = draw(random, ENGINES);
  const isMcq = random.below(3) === 0;
  const losesMuch = name !== 'prdt' && random.below(4) === 0;
  const kinds = faultsOfferedBy(name === 'none' ? ['ufs'] : ['ufs', name]).filter((kind) => kind !== 'smc-wait');
  const hasSlots = name !== 'none' && name !== 'prdt';
  const faults = Array.from({ length: 1 + random.below(6) }, () => drawFault(random, kinds, hasSlots));
  const device = {
    kind: 'ufs',
    capacity: '1GiB',
    ...(isMcq && { host: { generation: 'ufs-4.0' }, media: { profile: 'ufs-4.0-tlc' } }),
    ...(crypto && { crypto: { ...crypto, ...(losesMuch && { keysLostOn: LOSSES }) } }),
    power: draw(random, POWERS),
  };
  const definition = {
    format: 1,
    seed,
    device,
    queue: {
      keyslotPolicy: draw(random, POLICIES),
      blocking: true,
      scheduler: draw(random, ['none', 'mq-deadline', 'kyber']),
      timeout: draw(random, ['400ms', '40ms']),
    },
    ...(crypto && { encryption: { jobs: { '*': draw(random, ENTRIES) }, fallback: {} } }),
    workload: { fio: `[global]\ndirect=1\n${draw(random, ['', 'continue_on_error=all\n'])}${draw(random, JOBS)}` },
    faults,
  };
  return { definition, isMcq };
}

/** An I/O that fails before it has a request is carried by none: bytes are then not those of the requests. */
function problemsOfRows(run: FinishedRun, isMcq: boolean): string[] {
  const problems = rowProblems(run, { depth: isMcq ? 63 : 31, isShared: isMcq });
  const hasFailed = run.io.text('status').some((status) => status !== 'ok');
  return hasFailed ? problems.filter((problem) => !problem.includes('carried by requests')) : problems;
}

describe('random fault plans', () => {
  it.each(Array.from({ length: PLANS }, (_, i) => i + 1))('plan %i', (seed) => {
    const { definition, isMcq } = drawPlan(seed);
    const run = runDefinition(definition);
    const { violations, deadlock } = run.summary;
    const { status, traceHash } = run.summary.run;
    expect({ status, violations, deadlock }).toEqual({ status: 'done', violations: [], deadlock: null });
    expect(problemsOfRows(run, isMcq)).toEqual([]);
    const again = runDefinition({ ...definition, run: { detail: 'full', check: false } });
    expect(again.summary.run.traceHash).toBe(traceHash);
  });

  it('do strike', () => {
    const struck = Array.from({ length: 12 }, (_, i) => runDefinition(drawPlan(i + 1).definition)).flatMap(
      ({ summary }) => summary.faults?.injected ?? [],
    );
    expect(struck.filter(({ count }) => count > 0).length).toBeGreaterThan(struck.length / 3);
  });
});
