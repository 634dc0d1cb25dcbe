/** Where the engine takes the time from. Milliseconds since 1970, UTC. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Where the engine takes randomness from: `size` bytes from a cryptographic source. */
export type RandomBytes = (size: number) => Uint8Array;

/** Time gone by between two readings, in milliseconds. Never negative: a clock set back counts as no time at all. */
export function elapsedMs(from: number, to: number): number {
  return Math.max(0, to - from);
}
