/** The work pending in one interrupt context of a CPU, first in, first out: each item a cost, and the handler it ends at. */

/** Words of an item: cost (ns), kind, argument; a power of two. */
const STRIDE = 4;

export class IrqQueue {
  /** Items queued. */
  size = 0;
  private head = 0;
  private words = new Int32Array(16 * STRIDE);

  push(costNs: number, kind: number, arg: number): void {
    if (this.size * STRIDE === this.words.length) this.grow();
    const { words } = this;
    const at = (this.head + this.size * STRIDE) & (words.length - 1);
    words[at] = costNs;
    words[at + 1] = kind;
    words[at + 2] = arg;
    this.size++;
  }

  /** The first item; there must be one. */
  get costNs(): number {
    return this.words[this.head];
  }

  get kind(): number {
    return this.words[this.head + 1];
  }

  get arg(): number {
    return this.words[this.head + 2];
  }

  /** Takes the first item off. */
  drop(): void {
    this.head = (this.head + STRIDE) & (this.words.length - 1);
    this.size--;
  }

  private grow(): void {
    const { words, head } = this;
    const turned = new Int32Array(words.length * 2);
    turned.set(words.subarray(head));
    turned.set(words.subarray(0, head), words.length - head);
    this.words = turned;
    this.head = 0;
  }
}
