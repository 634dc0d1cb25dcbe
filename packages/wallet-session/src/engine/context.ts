import type { Clock, RandomBytes } from "../clock.ts";
import type { EventSink } from "../events.ts";
import type { SessionStore } from "../store.ts";
import type { AccessTokens } from "../tokens/access-token.ts";
import type { Keyring } from "../tokens/secrets.ts";
import type { Leases } from "./leases.ts";
import type { RevocationView } from "./revocation-view.ts";

/** What the verbs of the engine work with. */
export interface EngineContext {
  readonly store: SessionStore;
  readonly keyring: Keyring;
  readonly accessTokens: AccessTokens;
  readonly revocations: RevocationView;
  readonly leases: Leases;
  /** Whether a timer reads the revocation log by now, so that its view need not be asked for. */
  readonly followsRevocations: () => boolean;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly onEvent: EventSink;
  readonly refreshIdleTtlMs: number;
  readonly refreshAbsoluteTtlMs: number;
  readonly refreshLeewayMs: number;
}
