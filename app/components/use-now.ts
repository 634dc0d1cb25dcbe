"use client";

import { useEffect, useState } from "react";

/** The time in epoch milliseconds, updated every `intervalMs`. For components that render in the browser only. */
export function useNow(intervalMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}
