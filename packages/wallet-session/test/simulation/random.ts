import type { RandomBytes } from "../../src/clock.ts";

/** Chance from a seed: the same seed gives the same sequence. Not for secrets. */
export class Random {
  #state: number;

  constructor(seed: string) {
    this.#state = hashOf(seed);
  }

  /** From 0 up to 1. (Mulberry32.) */
  next(): number {
    return this.#word() / 2 ** 32;
  }

  /** A whole number from 0 up to `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }

  readonly bytes: RandomBytes = (size) => {
    const bytes = Buffer.alloc(Math.ceil(size / 4) * 4);
    for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(this.#word(), at);
    return bytes.subarray(0, size);
  };

  #word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  }
}

/** Spread over 32 bits, also for texts that are nearly alike. (FNV-1a, and the end of MurmurHash3.) */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
