/** Lists of commands that wait for something, as chains of pooled nodes: a list is the handle of its first node, -1 when empty. */
const NONE = -1;

export class WaiterLists {
  private cmd = new Int32Array(64);
  private next = new Int32Array(64);
  private used = 0;
  private free = NONE;

  /** Puts `cmd` before `list`; returns the new list. */
  add(cmd: number, list: number): number {
    let node = this.free;
    if (node === NONE) {
      if (this.used === this.cmd.length) this.grow();
      node = this.used++;
    } else this.free = this.next[node];
    this.cmd[node] = cmd;
    this.next[node] = list;
    return node;
  }

  cmdOf(node: number): number {
    return this.cmd[node];
  }

  /** Gives a node back; returns the rest of its list. */
  release(node: number): number {
    const rest = this.next[node];
    this.next[node] = this.free;
    this.free = node;
    return rest;
  }

  /** Empties every list at once: their owners must forget their handles. */
  clear(): void {
    this.used = 0;
    this.free = NONE;
  }

  private grow(): void {
    const n = this.cmd.length * 2;
    const cmd = new Int32Array(n);
    cmd.set(this.cmd);
    this.cmd = cmd;
    const next = new Int32Array(n);
    next.set(this.next);
    this.next = next;
  }
}
