/**
 * What the workload writes: the bytes of a block as a function of (seed, block of the device, generation of the write), so that whoever reads a block can say which write it
 * came from, and no two writes of a run look alike.
 *
 * The first 16 bytes name block, generation and seed; the rest is the output of a xorshift generator seeded by the same. Generation 0 is no write: a block of zeros.
 *
 * @source xorshift32: Marsaglia 2003, "Xorshift RNGs"; mixing constants: MurmurHash3's finalizer
 */
const HEAD_WORDS = 4;
const WORD_SPAN = 2 ** 32;

function mixed(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function areZero(words: Uint32Array): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

export class Content {
  private readonly seed: number;

  constructor(seed: number) {
    this.seed = mixed(seed % WORD_SPAN) ^ mixed(Math.floor(seed / WORD_SPAN) + 1);
  }

  /** Writes the content of a block in a generation over `words`, which is the block. */
  fill(words: Uint32Array, block: number, generation: number): void {
    if (generation === 0) {
      words.fill(0);
      return;
    }
    words[0] = block;
    words[1] = block / WORD_SPAN;
    words[2] = generation;
    words[3] = this.seed;
    let state = this.start(block, generation);
    for (let i = HEAD_WORDS; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
  }

  /** Whether `words` are that content. */
  matches(words: Uint32Array, block: number, generation: number): boolean {
    if (generation === 0) return areZero(words);
    const isHead = words[0] === block % WORD_SPAN && words[1] === Math.floor(block / WORD_SPAN);
    if (!isHead || words[2] !== generation || words[3] !== this.seed >>> 0) return false;
    let state = this.start(block, generation);
    for (let i = HEAD_WORDS; i < words.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      if (words[i] !== state >>> 0) return false;
    }
    return true;
  }

  /** What a block seems to hold, for messages. */
  describe(words: Uint32Array): string {
    if (areZero(words)) return 'zeros';
    const block = words[1] * WORD_SPAN + words[0];
    return this.matches(words, block, words[2]) ? `write ${words[2]} of block ${block}` : 'garbage';
  }

  private start(block: number, generation: number): number {
    const low = mixed(block % WORD_SPAN) ^ mixed(Math.floor(block / WORD_SPAN) + 0x9e3779b9);
    return mixed(low ^ Math.imul(generation, 0x9e3779b1) ^ this.seed) || 1; // xorshift cannot leave zero
  }
}
