import type { Clock, RandomBytes } from "../clock.ts";
import type { EventSink } from "../events.ts";
import { REFRESH_LEEWAY_MAX_SHARE, REFRESH_LEEWAY_MS } from "../limits.ts";
import type { SessionStore } from "../store.ts";
import type { StoreStepTrace } from "./guarded-store.ts";
import type { SecurityEventHandler } from "./security-event.ts";
import type { Every } from "./timers.ts";

export interface SessionEngineOptions {
  /** Where sessions live. The engine owns it from now on: `close` closes it. */
  readonly store: SessionStore;
  /** Secrets of 32 bytes or more, no two alike: the first signs, the others only verify. The same in all processes. */
  readonly secrets: readonly string[];
  /** `iss` of access tokens: the public URL of this service, without a slash at its end. */
  readonly issuer: string;
  /**
   * `aud` of access tokens.
   * @default the issuer
   */
  readonly audience?: string;
  /**
   * How long an access token lives.
   * @default 900_000 (15 minutes)
   */
  readonly accessTtlMs?: number;
  /**
   * How long a session lives after its last refresh.
   * @default 604_800_000 (7 days)
   */
  readonly refreshIdleTtlMs?: number;
  /**
   * How long a session lives at most after its sign-in, however often it is refreshed. Changes hold for new sessions.
   * @default 2_592_000_000 (30 days)
   */
  readonly refreshAbsoluteTtlMs?: number;
  /**
   * How long after a rotation a cookie jar may present the spent token again. A quarter of `accessTtlMs` at most. Body
   * sessions have no leeway.
   * @default 30_000, or a quarter of `accessTtlMs` where that is less
   */
  readonly refreshLeewayMs?: number;
  /**
   * Told of each event, after it has happened. What it throws is dropped.
   * @default events are dropped
   */
  readonly onEvent?: EventSink;
  /**
   * Handed each end of a session before its time, whichever process ended it: at least once, by one process at a time, in the
   * background and also after a restart. See {@link SecurityEventHandler}. Needs the timers of `start`.
   * @default security events stay in the store for other processes, and are pruned after 7 days
   */
  readonly onSecurityEvent?: SecurityEventHandler;
  /** Times the steps of the store. Must not throw. */
  readonly onStoreStep?: StoreStepTrace;
  /**
   * Where the time comes from. For tests.
   * @default the system's clock
   */
  readonly clock?: Clock;
  /**
   * A cryptographic source of random bytes. For tests.
   * @default the system's generator
   */
  readonly random?: RandomBytes;
  /**
   * How timers run. For tests.
   * @default `setInterval`, without keeping the process alive
   */
  readonly every?: Every;
}

/** @throws RangeError for more than the share: a jar that is young for two leeways would not be renewed in time */
export function leewayFor(accessTtlMs: number, leewayMs: number | undefined): number {
  const most = accessTtlMs * REFRESH_LEEWAY_MAX_SHARE;
  if (leewayMs === undefined) return Math.min(REFRESH_LEEWAY_MS, most);
  if (leewayMs > most) throw new RangeError("refreshLeewayMs is more than a quarter of accessTtlMs");
  return leewayMs;
}
