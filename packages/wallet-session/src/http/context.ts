import type { AuthPaths } from "../auth-paths.ts";
import type { DeviceBinding } from "../bindings/device-binding.ts";
import type { Clock } from "../clock.ts";
import type { SessionEngine } from "../engine/session-engine.ts";
import type { WalletMethod } from "../wallets/wallet.ts";
import type { FaultSink } from "./endpoint.ts";
import type { RateLimits } from "./rate-limit.ts";
import type { SessionCookies } from "./request/cookies.ts";
import type { SignInHook } from "./sign-in-hook.ts";

/** What the endpoints work with. */
export interface HttpContext {
  readonly engine: SessionEngine;
  readonly wallet: WalletMethod;
  readonly publicUrl: URL;
  readonly trustedOrigins: readonly string[];
  readonly paths: AuthPaths;
  readonly cookies: SessionCookies;
  /** `off` where browsers would not do it. */
  readonly deviceBinding: DeviceBinding;
  readonly clock: Clock;
  readonly limits: RateLimits;
  readonly clientAddress: (request: Request) => string | null;
  readonly onFault: FaultSink;
  readonly onSignIn: SignInHook;
  /** Rejects where something else than the session store keeps the process from being ready. */
  readonly ready: () => Promise<void>;
}
