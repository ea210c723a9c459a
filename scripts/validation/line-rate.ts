/**
 * An inline engine that keeps the line rate costs at most 5 % (calibration D, further checks): throughput and mean latency of reads and writes on UFS, encrypted with one key against plain. Ours: the
 * pairs of the scenario `line-rate`. The engine's added latency is an assumption (1 µs), so the rows say what follows from it, not what a chip does.
 */
import type { DirectionSummary, RunSummary } from '../../core/experiment/summary.ts';
import { runScenario } from './scenario.ts';
import type { Target, TargetRow } from './target.ts';

const SCENARIO = 'line-rate';
const LOADS = [
  'random-read-qd1',
  'random-read-qd32',
  'random-write-qd1',
  'random-write-qd32',
  'sequential-read',
  'sequential-write',
] as const;
const MOST_PERCENT = 5;

function directionOf({ run, jobs }: RunSummary): DirectionSummary {
  const direction = jobs.app.read ?? jobs.app.write;
  if (direction === undefined) throw new Error(`${run.name}: nothing was read or written`);
  return direction;
}

function rowsOf(load: string): TargetRow[] {
  const plain = directionOf(runScenario(SCENARIO, `${load}-plain`));
  const ice = directionOf(runScenario(SCENARIO, `${load}-ice`));
  const row = (what: string, ours: number): TargetRow => ({
    what: `${load}: ${what}`,
    source: 'D, further checks',
    unit: '%',
    published: MOST_PERCENT,
    ours: 100 * ours,
    band: { kind: 'below' },
    basis: 'predicted',
  });
  return [
    row('throughput lost', 1 - ice.bwBytes / plain.bwBytes),
    row('mean latency added', ice.latNs.mean / plain.latNs.mean - 1),
  ];
}

export const lineRate: Target = {
  id: 'line-rate',
  title: 'An inline engine at line rate against none',
  rows: () => LOADS.flatMap(rowsOf),
};
