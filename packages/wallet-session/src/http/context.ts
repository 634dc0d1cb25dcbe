import type { Clock } from "../clock.ts";
import type { SessionEngine } from "../engine/session-engine.ts";
import type { WalletMethod } from "../wallets/wallet.ts";
import type { FaultSink } from "./endpoint.ts";
import type { RateLimits } from "./rate-limit.ts";
import type { SessionCookies } from "./request/cookies.ts";

/** What the endpoints work with. */
export interface HttpContext {
  readonly engine: SessionEngine;
  readonly wallet: WalletMethod;
  readonly publicUrl: URL;
  readonly cookies: SessionCookies;
  readonly clock: Clock;
  readonly limits: RateLimits;
  readonly clientAddress: (request: Request) => string | null;
  readonly onFault: FaultSink;
  /** Rejects where something else than the session store keeps the process from being ready. */
  readonly ready: () => Promise<void>;
}
