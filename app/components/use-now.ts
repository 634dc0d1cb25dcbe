"use client";

import { useEffect, useState } from "react";

/** The time, anew every `intervalMs`, for what is shown of it. Rendered in the browser only. */
export function useNow(intervalMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}
