/** Where the engine takes the time from. Milliseconds since 1970, UTC. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Readings in milliseconds whose difference is the time gone by. They have fractions and never go back. */
export type Stopwatch = () => number;

export const systemStopwatch: Stopwatch = () => performance.now();

/** Where the engine takes randomness from: `size` bytes from a cryptographic source. */
export type RandomBytes = (size: number) => Uint8Array;

const POOL_BYTES = 4_096;
let pool: Uint8Array = new Uint8Array(0);
let poolAt = 0;

/**
 * Random bytes of the system's generator, fetched in larger pieces: one call for 16 bytes costs as much as a store's
 * whole step. No byte is handed out twice. Not by `node:crypto`: Next's edge runtime, where its proxy may run, has none.
 */
export const systemRandom: RandomBytes = (size) => {
  if (size > POOL_BYTES) return freshBytes(size);
  if (poolAt + size > pool.length) {
    pool = freshBytes(POOL_BYTES);
    poolAt = 0;
  }
  poolAt += size;
  return pool.subarray(poolAt - size, poolAt);
};

function freshBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  // As many as one call may ask for.
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

/** Time gone by between two readings, in milliseconds. Never negative: a clock set back counts as no time at all. */
export function elapsedMs(from: number, to: number): number {
  return Math.max(0, to - from);
}
