"use client";

import { useEffect, useState, useSyncExternalStore } from "react";

const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });
const DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const RELATIVE_UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** "2 hours ago", with the exact time as title. */
export function RelativeTime({ iso }: { iso: string }) {
  const now = useNow(15_000);
  return (
    <time dateTime={iso} title={EXACT.format(new Date(iso))}>
      {relative(Date.parse(iso) - now)}
    </time>
  );
}

/** A day in words, with the exact time as title. */
export function DateOnly({ iso }: { iso: string }) {
  const date = new Date(iso);
  return (
    <time dateTime={iso} title={EXACT.format(date)}>
      {DATE.format(date)}
    </time>
  );
}

function relative(differenceMs: number): string {
  for (const [unit, length] of RELATIVE_UNITS) {
    if (Math.abs(differenceMs) >= length) return RELATIVE.format(Math.trunc(differenceMs / length), unit);
  }
  return "just now";
}

/** "14:03" */
export function minutesAndSeconds(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

const DURATION_UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** "3 d 4 h", "12 min 5 s": the two largest units that say something. */
export function durationText(seconds: number): string {
  let left = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [name, length] of DURATION_UNITS) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count.toLocaleString("en")} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0 s" : parts.join(" ");
}

/** The time in epoch milliseconds, updated every `intervalMs`. For components that render in the browser only. */
export function useNow(intervalMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}

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
