import type { ClientEnvironment } from "./environment.ts";
import { askedWaitMs } from "./problem.ts";

/** Shares of the lifetime that a renewal leaves unused: random in between, so that tabs and devices do not renew at once. */
const SPARE_SHARE = { most: 0.4, least: 0.2 };
const SHORTEST_DELAY_MS = 1_000;
const LONGEST_RETRY_DELAY_MS = 60_000;

/** When the next renewal is due. At most one is planned; each plan replaces the one before. */
export function createRenewalSchedule(
  { now, after, random }: Pick<ClientEnvironment, "now" | "after" | "random">,
  renew: () => void,
) {
  let timer: { readonly dueAt: number; readonly cancel: () => void } | undefined;
  let failures = 0;
  let serverAskedToWait = false;
  let stopped = false;

  function cancel(): void {
    timer?.cancel();
    timer = undefined;
    serverAskedToWait = false;
  }

  function planIn(delayMs: number): void {
    cancel();
    if (!stopped) timer = { dueAt: now() + delayMs, cancel: after(delayMs, renew) };
  }

  return {
    planIn,
    cancel,

    /** Undefined when nothing is planned. */
    dueAt: () => timer?.dueAt,

    /**
     * Plans the renewal of an access token that is good for `lifetimeMs`, of which `ageMs` have passed. `windowMs`: of what the
     * spare time is a share, where the lifetime is longer.
     */
    planFor(lifetimeMs: number, ageMs = 0, windowMs = lifetimeMs): void {
      failures = 0;
      const share = SPARE_SHARE.most - (SPARE_SHARE.most - SPARE_SHARE.least) * random();
      planIn(Math.max(SHORTEST_DELAY_MS, lifetimeMs - ageMs - Math.min(lifetimeMs, windowMs) * share));
    },

    /** Plans the retry after a failure: when the server asked for it, or further and further apart. */
    planRetry(retryAfterSeconds: number | undefined): void {
      const backoffMs = Math.min(LONGEST_RETRY_DELAY_MS, SHORTEST_DELAY_MS * 2 ** failures);
      failures += 1;
      const ownMs = backoffMs * (0.5 + random() / 2);
      // A server that always asks for one second would get sixty requests a minute.
      planIn(retryAfterSeconds === undefined ? ownMs : Math.max(ownMs, askedWaitMs(retryAfterSeconds)));
      serverAskedToWait = retryAfterSeconds !== undefined;
    },

    /** Plans nothing until `resume`, whatever is still under way. */
    stop(): void {
      stopped = true;
      cancel();
    },

    resume(): void {
      stopped = false;
    },

    /**
     * After sleep or time offline: renews at once if that is overdue, or if the last try failed and the server did not ask to
     * wait.
     */
    wake(): void {
      if (timer === undefined) return;
      const overdue = timer.dueAt <= now();
      if (overdue || (failures > 0 && !serverAskedToWait)) renew();
    },
  };
}
