import type { Stopwatch } from "../clock.ts";

interface Count {
  value: number;
  /** The window ends then, and the count with it. */
  readonly endsAt: number;
}

export interface BoundedCountsOptions {
  readonly windowMs: number;
  readonly maxKeys: number;
  readonly stopwatch: Stopwatch;
}

/**
 * Counts by key, each in a window that begins with the key's first count. Holds no more than `maxKeys`: one more takes the
 * place of the least counted, so a flood of new keys makes it forget those that asked once before those that ask all the time.
 */
export function createBoundedCounts({ windowMs, maxKeys, stopwatch }: BoundedCountsOptions) {
  // By the number of binary digits of the count; in each, the keys that came to it first stand first.
  const levels: Map<string, Count>[] = [];

  function levelOf(value: number): Map<string, Count> {
    const level = 31 - Math.clz32(value);
    const known = levels[level];
    if (known !== undefined) return known;
    const made = new Map<string, Count>();
    levels[level] = made;
    return made;
  }

  function find(key: string, now: number): Count | undefined {
    for (const level of levels) {
      const count = level.get(key);
      if (count === undefined) continue;
      if (count.endsAt > now) return count;
      level.delete(key);
    }
    return undefined;
  }

  function makeRoom(now: number): void {
    for (const level of levels) {
      for (const [key, { endsAt }] of level) {
        if (endsAt > now) break;
        level.delete(key);
      }
    }
    if (size() < maxKeys) return;
    const least = levels.find((level) => level.size > 0);
    const [oldest] = least?.keys() ?? [];
    if (oldest !== undefined) least?.delete(oldest);
  }

  const size = () => levels.reduce((sum, level) => sum + level.size, 0);

  return {
    size,

    /** Counts one. Returns the count with it, and how long the window goes on. */
    add(key: string): { readonly count: number; readonly leftMs: number } {
      const now = stopwatch();
      const known = find(key, now);
      if (known === undefined) {
        makeRoom(now);
        levelOf(1).set(key, { value: 1, endsAt: now + windowMs });
        return { count: 1, leftMs: windowMs };
      }
      const before = levelOf(known.value);
      known.value += 1;
      const after = levelOf(known.value);
      if (after !== before) {
        before.delete(key);
        after.set(key, known);
      }
      return { count: known.value, leftMs: known.endsAt - now };
    },
  };
}
