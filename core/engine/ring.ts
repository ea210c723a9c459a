/** A growable first-in-first-out ring of integers: the queues of the hot path (pending interrupts, run queues, waiters). */
export class IntRing {
  /** Number of integers queued. */
  size = 0;
  private head = 0;
  private items: Int32Array;

  constructor(capacity = 16) {
    this.items = new Int32Array(2 ** Math.ceil(Math.log2(capacity))); // a power of two, for the masks below
  }

  /** Appends at the tail. */
  push(value: number): void {
    if (this.size === this.items.length) this.grow();
    this.items[(this.head + this.size++) & (this.items.length - 1)] = value;
  }

  /** Prepends at the head. */
  unshift(value: number): void {
    if (this.size === this.items.length) this.grow();
    this.head = (this.head - 1) & (this.items.length - 1);
    this.items[this.head] = value;
    this.size++;
  }

  /** Removes and returns the head. The ring must not be empty. */
  shift(): number {
    const value = this.items[this.head];
    this.head = (this.head + 1) & (this.items.length - 1);
    this.size--;
    return value;
  }

  /** The i-th value from the head. */
  at(i: number): number {
    return this.items[(this.head + i) & (this.items.length - 1)];
  }

  /** Removes the first occurrence of `value`; returns whether it was there. Linear: for rare paths only. */
  remove(value: number): boolean {
    const n = this.size;
    let found = false;
    for (let i = 0; i < n; i++) {
      const v = this.shift();
      if (!found && v === value) found = true;
      else this.push(v);
    }
    return found;
  }

  clear(): void {
    this.size = 0;
  }

  private grow(): void {
    const wider = new Int32Array(this.items.length * 2);
    for (let i = 0; i < this.size; i++) wider[i] = this.at(i);
    this.items = wider;
    this.head = 0;
  }
}
