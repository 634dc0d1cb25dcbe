"use client";

import { useSyncExternalStore } from "react";

const TICK_MS = 1_000;
/** Beyond that, it is not the way of an answer that took longer but a clock that was set or stood still. */
const SAME_CLOCK_MS = 2_000;

/** How far the server's clock is ahead of this one, as far as is known. */
let offsetMs = 0;
let known = false;

/**
 * Learns the server's time from an answer that has just come. An answer is older than its arrival, so of several the
 * one that puts the server furthest ahead is the nearest to the truth.
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

/** The server's time in milliseconds, anew every second and for all at once; 0 until the page runs in a browser. */
export function useServerNow(): number {
  return useSyncExternalStore(
    subscribe,
    () => now,
    () => 0,
  );
}
