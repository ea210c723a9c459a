/** What the runs of a scenario gave, in the form of its `expected.json`: counts and times exact, since runs repeat exactly. */
import { createRun } from '../../core/experiment/run.ts';
import type { RunSummary } from '../../core/experiment/summary.ts';
import { validateDefinition } from '../../core/experiment/validate.ts';
import type { TargetRow } from '../validation/target.ts';
import { type Scenario, variantDefinition } from '../../main/scenarios/scenarios.ts';

/** Events per slice. */
const SLICE = 100_000;

/** Means keep so many decimals of a nanosecond. */
const DECIMALS = 3;

export interface ExpectedRun {
  readonly status: string;
  readonly traceHash: string;
  readonly simNs: number;
  readonly ios: number;
  readonly requests: number;
  readonly merges: number;
  readonly tagWaits: number;
  readonly keyslots: RunSummary['keyslots'];
  readonly jobs: Readonly<Record<string, Readonly<Record<string, ExpectedDirection>>>>;
  /** Mean per I/O, of the stages that occurred. */
  readonly stageMeanNs: Readonly<Record<string, number>>;
  /** Calls of the secure monitor, with engine "qcom-ice". */
  readonly secureMonitor?: Readonly<Record<string, number>>;
  /** Laws that were broken, in scenarios that show it. */
  readonly violations?: { readonly count: number; readonly first: string };
  /** Published figures that this variant is compared with; absent: there are none. */
  readonly published?: readonly ExpectedFigure[];
  /** Of runs with planned faults. */
  readonly faults?: NonNullable<RunSummary['faults']>['injected'];
}

export interface ExpectedFigure {
  readonly what: string;
  readonly source: string;
  readonly published: number;
  readonly ours: number;
  /** Accepted deviation as a share; `below` the published figure; or `context`: not judged. */
  readonly band: number | 'below' | 'context';
}

interface ExpectedDirection {
  readonly ios: number;
  readonly iops: number;
  readonly meanNs: number;
  readonly p99Ns: number | null;
  readonly maxNs: number;
  readonly errors?: Readonly<Record<string, number>>;
}

/** Runs one variant to its end, in this thread. Throws when its definition is refused. */
export function runVariant(scenario: Scenario, variant: string): RunSummary {
  const { experiment, problems } = validateDefinition(variantDefinition(scenario, variant));
  if (experiment === undefined) throw new Error(problems.map((p) => `${p.path} ${p.message}`).join('; '));
  const run = createRun(experiment, () => undefined);
  let isRunning = true;
  while (isRunning) isRunning = run.slice(SLICE);
  return run.finish(false);
}

function secureMonitorOf(device: RunSummary['device']): Readonly<Record<string, number>> {
  const counters = Object.entries(device).filter(([name]) => name.startsWith('smc'));
  return Object.fromEntries(counters);
}

function figureOf({ what, unit, source, published, ours, band }: TargetRow): ExpectedFigure {
  const judged = band.kind === 'relative' ? band.share : band.kind;
  return { what: `${what} ${unit}`.trim(), source, published, ours: Number(ours.toPrecision(6)), band: judged };
}

const rounded = (value: number): number => Number(value.toFixed(DECIMALS));

/** What a run gave. `published`: rows that compare it with published figures. */
export function expectedOf(summary: RunSummary, published: readonly TargetRow[] = []): ExpectedRun {
  const { run, block, keyslots, jobs, stages, device, violations, faults } = summary;
  const directions = Object.entries(jobs).map(([job, byDirection]) => [
    job,
    Object.fromEntries(
      Object.entries(byDirection).map(([direction, { ios, iops, latNs, errors }]) => [
        direction,
        {
          ios,
          iops: rounded(iops),
          meanNs: rounded(latNs.mean),
          p99Ns: latNs.p99,
          maxNs: latNs.max,
          ...(errors && { errors }),
        },
      ]),
    ),
  ]);
  const means = Object.entries(stages)
    .filter(([, { meanNs }]) => meanNs > 0)
    .map(([id, { meanNs }]) => [id, rounded(meanNs)]);
  return {
    status: run.status,
    traceHash: run.traceHash,
    simNs: run.simNs,
    ios: run.ios,
    requests: run.requests,
    merges: block.merges,
    tagWaits: block.tagWaits,
    keyslots,
    jobs: Object.fromEntries(directions) as ExpectedRun['jobs'],
    stageMeanNs: Object.fromEntries(means) as ExpectedRun['stageMeanNs'],
    ...(device.smcCalls !== undefined && { secureMonitor: secureMonitorOf(device) }),
    ...(violations.length > 0 && { violations: { count: violations.length, first: violations[0] } }),
    ...(published.length > 0 && { published: published.map(figureOf) }),
    ...(faults && { faults: faults.injected }),
  };
}
