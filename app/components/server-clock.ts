"use client";

import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
/** A larger difference means that a clock was set or stood still, not that an answer was slow. */
const SAME_CLOCK_MS = 2_000;

/** How far the server's clock seems to be ahead of this one. */
let offsetMs = 0;
let known = false;

/**
 * Learns the server's time from an answer that has just come. An answer is older than its arrival, so the
 * one that puts the server furthest ahead is the most exact.
 */
export function noteServerTime(asOf: string): void {
  const seen = Date.parse(asOf) - Date.now();
  const sameClock = known && Math.abs(seen - offsetMs) < SAME_CLOCK_MS;
  offsetMs = sameClock ? Math.max(offsetMs, seen) : seen;
  known = true;
}

let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function tick(): void {
  now = Date.now() + offsetMs;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = Date.now() + offsetMs;
    timer = setInterval(tick, TICK_MS);
    document.addEventListener("visibilitychange", tick);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    document.removeEventListener("visibilitychange", tick);
  };
}

/** The server's time in epoch milliseconds, updated every second for all components; 0 while rendering on the server. */
export function useServerNow(): number {
  return useSyncExternalStore(
    subscribe,
    () => now,
    () => 0,
  );
}
