"use client";

import { useNow } from "./use-now.ts";

const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" });
const DATE = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const UNITS = [
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
  for (const [unit, length] of UNITS) {
    if (Math.abs(differenceMs) >= length) return RELATIVE.format(Math.trunc(differenceMs / length), unit);
  }
  return "just now";
}

/** "14:03" */
export function minutesAndSeconds(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
