/**
 * The random map: which blocks of a file a random job has visited in this pass, so that every block is visited exactly once.
 *
 * A draw that hits a visited block takes the next free one after it, wrapping around (as fio's axmap does). The map is a bitmap with summary levels above it, 32 bits
 * to one, so that finding the next free block costs a handful of steps whatever the size: 16 M blocks take 2 MiB.
 */
export class RandomMap {
  readonly blocks: number;
  /** Blocks not visited yet. */
  free: number;
  /** levels[0] has a bit per block (1: visited); a bit of level n+1 says that a whole word of level n is all ones. */
  private readonly levels: Uint32Array[] = [];

  constructor(blocks: number) {
    this.blocks = blocks;
    this.free = blocks;
    let bits = blocks;
    do {
      const words = Math.ceil(bits / 32);
      this.levels.push(new Uint32Array(words));
      bits = words;
    } while (bits > 1);
    this.padTails();
  }

  isVisited(block: number): boolean {
    return (this.levels[0][block >>> 5] & (1 << (block & 31))) !== 0;
  }

  /** The first free block at or after `from`, wrapping around; -1 when all are visited. */
  nextFree(from: number): number {
    if (this.free === 0) return -1;
    const found = this.findFrom(from);
    return found >= 0 ? found : this.findFrom(0);
  }

  visit(block: number): void {
    this.free--;
    let bit = block;
    for (const level of this.levels) {
      const word = bit >>> 5;
      level[word] |= 1 << (bit & 31);
      if (level[word] !== 0xffffffff) return;
      bit = word;
    }
  }

  /** Begins a new pass: nothing is visited. */
  reset(): void {
    this.free = this.blocks;
    for (const level of this.levels) level.fill(0);
    this.padTails();
  }

  /** Climbs until a level has a zero bit at or after the place, then descends to the lowest block under it. */
  private findFrom(from: number): number {
    let bit = from;
    for (let n = 0; n < this.levels.length; n++) {
      const words = this.levels[n];
      const word = bit >>> 5;
      if (word >= words.length) return -1;
      const zeros = ~words[word] & (0xffffffff << (bit & 31));
      if (zeros !== 0) return this.descend(n, (word << 5) + lowestBit(zeros));
      bit = word + 1;
    }
    return -1;
  }

  private descend(level: number, bit: number): number {
    let at = bit;
    for (let n = level - 1; n >= 0; n--) at = (at << 5) + lowestBit(~this.levels[n][at]);
    return at;
  }

  /** Bits beyond the end count as visited, so that they are never found. */
  private padTails(): void {
    let bits = this.blocks;
    for (const level of this.levels) {
      if ((bits & 31) !== 0) level[level.length - 1] |= 0xffffffff << (bits & 31);
      bits = level.length;
    }
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
