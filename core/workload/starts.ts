/**
 * The order in which clones may start: `stonewall` holds back its job and all after it until everything before has ended, `wait_for` waits for all clones of one
 * earlier job.
 *
 * @source fio 3.33 HOWTO "stonewall", "wait_for"
 */
import type { JobClone } from './clones.ts';

export class StartOrder {
  /** Stonewalls at or before each job. */
  private readonly walls: number[] = [];
  /** Clones that have not ended, by walls and by name of their job. */
  private readonly aliveBehind: number[] = [];
  private readonly aliveOf = new Map<string, number>();
  /** The fewest walls of a clone that has not ended. */
  private openWall = 0;

  constructor(clones: readonly JobClone[]) {
    let walls = 0;
    for (const clone of clones) {
      const { job, jobIndex } = clone;
      if (jobIndex >= this.walls.length) {
        if (job.schedule.stonewall && jobIndex > 0) walls++;
        this.walls[jobIndex] = walls;
      }
      this.aliveBehind[walls] = (this.aliveBehind[walls] ?? 0) + 1;
      this.aliveOf.set(job.name, (this.aliveOf.get(job.name) ?? 0) + 1);
    }
  }

  mayStart(clone: JobClone): boolean {
    const { waitFor } = clone.job.schedule;
    if (this.walls[clone.jobIndex] > this.openWall) return false;
    return waitFor === undefined || this.aliveOf.get(waitFor) === 0;
  }

  ended(clone: JobClone): void {
    this.aliveBehind[this.walls[clone.jobIndex]]--;
    while (this.openWall < this.aliveBehind.length - 1 && this.aliveBehind[this.openWall] === 0) this.openWall++;
    const { name } = clone.job;
    this.aliveOf.set(name, (this.aliveOf.get(name) ?? 0) - 1);
  }
}
