/** What the UFS room is built into: the engine, the machine, and the logs. */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { Workqueues } from '../../engine/workqueue.ts';
import type { DetailLog, GaugeLog } from '../../trace/log.ts';

export interface UfsEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly log: DetailLog;
  readonly gauges: GaugeLog;
}
