import type { Stopwatch } from "../clock.ts";

/** Lines that are counted together. A closed set: what a client sends must not make a new one. */
export interface LineKind {
  readonly event: string;
  /** What tells lines of the same event apart. */
  readonly code: string | null;
}

/** The first lines of each kind in each window; of the rest the number. */
export interface LineBudget {
  /** Whether one more line of this kind may be written, of `most` in a window. */
  take(kind: LineKind, most: number): boolean;
  /** Ends the windows that are over, or all of them, and tells of what was left out in them. */
  settle(all?: boolean): void;
}

interface Window {
  readonly kind: LineKind;
  startedAt: number;
  written: number;
  dropped: number;
}

export function createLineBudget(options: {
  readonly windowMs: number;
  readonly stopwatch: Stopwatch;
  /** Told of each line that is left out. */
  readonly onDropped: (kind: LineKind) => void;
  /** Told of each window in which lines were left out, when it is over. */
  readonly onWindowOver: (kind: LineKind, dropped: number) => void;
}): LineBudget {
  const { windowMs, stopwatch, onDropped, onWindowOver } = options;
  const windows = new Map<string, Window>();

  function end(key: string, { kind, dropped }: Window): void {
    windows.delete(key);
    if (dropped > 0) onWindowOver(kind, dropped);
  }

  function windowOf(kind: LineKind): Window {
    const now = stopwatch();
    const key = `${kind.event} ${kind.code}`;
    const current = windows.get(key);
    if (current !== undefined && now - current.startedAt < windowMs) return current;
    if (current !== undefined) end(key, current);
    const next = { kind, startedAt: now, written: 0, dropped: 0 };
    windows.set(key, next);
    return next;
  }

  return {
    take(kind, most) {
      const window = windowOf(kind);
      if (window.written < most) {
        window.written += 1;
        return true;
      }
      window.dropped += 1;
      onDropped(kind);
      return false;
    },
    settle(all = false) {
      const now = stopwatch();
      for (const [key, window] of windows) {
        if (all || now - window.startedAt >= windowMs) end(key, window);
      }
    },
  };
}
