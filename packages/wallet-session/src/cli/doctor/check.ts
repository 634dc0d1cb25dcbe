/** What one look has found. `advice`: what to do about it. */
export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  readonly advice: string | null;
}

export function ok(check: string, detail: string): Finding {
  return { check, status: "ok", detail, advice: null };
}

/** It works, but not as one would want it to. */
export function warn(check: string, detail: string, advice: string): Finding {
  return { check, status: "warn", detail, advice };
}

/** Somebody will not be able to sign in, or to stay so. */
export function fail(check: string, detail: string, advice: string): Finding {
  return { check, status: "fail", detail, advice };
}
