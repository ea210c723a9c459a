/**
 * The wait-for graph of a run that came to a stop: who waits for what, held by whom.
 *
 * A run is a deadlock when no event is pending while requests are unfinished. Then every room that makes anybody wait (tags, keyslots, mempools, work queues)
 * reports its waits here, and the graph yields the chain to print: a cycle if there is one, else the longest chain, which ends at whoever
 * holds on without waiting for anything known.
 *
 * Names are the nodes. A room that reports `holders: ['request 3']` meets the room that reports `waiter: 'request 3'`, so rooms agree on names:
 * `bio 12`, `request 3`, `task fio/0`, as their log lines call them. Built once, at the end of a run: not a hot path.
 */

/** `waiter` waits for `resource`, which `holders` hold (none: nobody known). */
export interface WaitEdge {
  readonly waiter: string;
  readonly resource: string;
  readonly holders: readonly string[];
}

/** A room that can make somebody wait. */
export interface WaitSource {
  /** Reports every wait of this moment, in a fixed order. */
  reportWaits(add: (edge: WaitEdge) => void): void;
}

interface Step {
  readonly edge: WaitEdge;
  /** The holder that the chain goes on with; undefined where it ends. */
  readonly next: string | undefined;
}

export class Waits {
  private readonly sources: WaitSource[] = [];

  /** Adds a source. Reports are asked for in the order of registration. */
  register(source: WaitSource): void {
    this.sources.push(source);
  }

  /** All waits of this moment. */
  edges(): WaitEdge[] {
    const edges: WaitEdge[] = [];
    for (const source of this.sources) source.reportWaits((edge) => edges.push(edge));
    return edges;
  }

  /**
   * The wait-for chain as readable lines: the first cycle in order of report, closed by a line that says so; without a cycle the longest
   * chain. Empty when nobody waits. The same waits in the same order give the same lines.
   */
  chain(): string[] {
    const byWaiter = new Map<string, WaitEdge[]>();
    for (const edge of this.edges()) {
      const known = byWaiter.get(edge.waiter);
      if (known === undefined) byWaiter.set(edge.waiter, [edge]);
      else known.push(edge);
    }
    const search = new ChainSearch(byWaiter);
    for (const waiter of byWaiter.keys()) search.visit(waiter);
    if (search.cycle !== undefined) {
      return [...search.cycle.map(describe), `cycle: back to ${search.cycle[0].edge.waiter}`];
    }
    let head: string | undefined;
    for (const waiter of byWaiter.keys()) {
      if (head === undefined || search.lengthFrom(waiter) > search.lengthFrom(head)) head = waiter;
    }
    return search.longestFrom(head).map(describe);
  }
}

function describe({ edge, next }: Step): string {
  const { waiter, resource, holders } = edge;
  if (next === undefined && holders.length === 0) return `${waiter} waits for ${resource}, held by nobody known`;
  const shown = next ?? holders[0];
  const others = holders.length > 1 ? ` (and ${holders.length - 1} more)` : '';
  return `${waiter} waits for ${resource}, held by ${shown}${others}`;
}

/** Depth-first search over waiters with an explicit stack: chains may be as long as there are bios. */
class ChainSearch {
  cycle: Step[] | undefined = undefined;
  private readonly byWaiter: ReadonlyMap<string, readonly WaitEdge[]>;
  /** Finished waiters: the best step and the length of the longest chain from here. */
  private readonly best = new Map<string, { readonly step: Step; readonly length: number }>();

  constructor(byWaiter: ReadonlyMap<string, readonly WaitEdge[]>) {
    this.byWaiter = byWaiter;
  }

  visit(start: string): void {
    if (this.cycle !== undefined || this.best.has(start)) return;
    const path = [this.frame(start)];
    const onPath = new Map<string, number>([[start, 0]]);
    while (path.length > 0) {
      const top = path[path.length - 1];
      if (top.at === top.steps.length) {
        this.finish(top.name, top.steps);
        onPath.delete(top.name);
        path.pop();
        continue;
      }
      const next = top.steps[top.at++].next;
      if (next === undefined || this.best.has(next) || !this.byWaiter.has(next)) continue;
      const loopAt = onPath.get(next);
      if (loopAt !== undefined) {
        this.cycle = path.slice(loopAt).map((frame) => frame.steps[frame.at - 1]);
        return;
      }
      onPath.set(next, path.length);
      path.push(this.frame(next));
    }
  }

  /** Steps in the longest chain from a waiter. */
  lengthFrom(waiter: string): number {
    return this.best.get(waiter)?.length ?? 0;
  }

  longestFrom(start: string | undefined): readonly Step[] {
    const chain: Step[] = [];
    for (let name: string | undefined = start; name !== undefined;) {
      const found = this.best.get(name);
      if (found === undefined) break;
      chain.push(found.step);
      name = found.step.next;
    }
    return chain;
  }

  private frame(name: string): { name: string; steps: Step[]; at: number } {
    const steps: Step[] = [];
    for (const edge of this.byWaiter.get(name) ?? []) {
      if (edge.holders.length === 0) steps.push({ edge, next: undefined });
      for (const holder of edge.holders) steps.push({ edge, next: holder });
    }
    return { name, steps, at: 0 };
  }

  private finish(name: string, steps: readonly Step[]): void {
    let best = { step: steps[0], length: 0 };
    for (const step of steps) {
      const length = 1 + (step.next === undefined ? 0 : (this.best.get(step.next)?.length ?? 0));
      if (length > best.length) best = { step, length };
    }
    this.best.set(name, best);
  }
}
