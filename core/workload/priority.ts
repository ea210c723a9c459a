/**
 * The ioprio of each I/O of a clone: its own (`prio`, `prioclass`), or for a share of the commands another one (`cmdprio_percentage`, or by size `cmdprio_bssplit`).
 *
 * @source fio 3.33 HOWTO "cmdprio_percentage", "cmdprio_bssplit"
 */
import { ioprio } from '../block/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { CmdprioEntry, JobPriority } from './fio/job.ts';
import { DDIR_WRITE } from './io.ts';

export class IoPriority {
  private readonly stream: RandomStream;
  private readonly own: number;
  private readonly command: JobPriority['command'];

  constructor(engine: Engine, cloneName: string, priority: JobPriority) {
    this.stream = engine.stream(`workload/${cloneName}/prio`);
    this.own = priority.ioprio === undefined ? 0 : ioprio(priority.ioprio.class, priority.ioprio.level);
    this.command = priority.command;
  }

  /** The ioprio of the next I/O. Trims and syncs have the clone's own. */
  of(ddir: number, sizeBytes: number): number {
    const { command } = this;
    if (command === undefined || ddir > DDIR_WRITE) return this.own;
    if (command.split !== undefined) return this.bySize(command.split[ddir], ddir, sizeBytes);
    const percent = command.percent[ddir];
    return percent > 0 && this.stream.below(100) < percent ? this.ofCommand(ddir) : this.own;
  }

  /** Entries of one size share a draw: each has its percentage of that size's I/Os. */
  private bySize(entries: readonly CmdprioEntry[], ddir: number, sizeBytes: number): number {
    let percent = -1;
    let upTo = 0;
    for (const entry of entries) {
      if (entry.sizeBytes !== sizeBytes) continue;
      if (percent < 0) percent = this.stream.below(100);
      upTo += entry.percent;
      if (percent >= upTo) continue;
      return entry.priority === undefined ? this.ofCommand(ddir) : ioprio(entry.priority.class, entry.priority.level);
    }
    return this.own;
  }

  private ofCommand(ddir: number): number {
    const { class: classes, level } = this.command ?? { class: [], level: [] };
    return ioprio(classes[ddir], level[ddir]);
  }
}
