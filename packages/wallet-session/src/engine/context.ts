import type { Clock, RandomBytes } from "../clock.ts";
import type { EventSink } from "../events.ts";
import type { SessionRecord, SessionStore } from "../store.ts";
import type { AccessTokens } from "../tokens/access-token.ts";
import type { Keyring } from "../tokens/secrets.ts";
import type { Proofs } from "./proofs.ts";
import type { RevocationView } from "./revocation-view.ts";
import type { ClaimsOf } from "./session-engine.ts";

/** What the verbs of the engine work with. */
export interface EngineContext {
  readonly store: SessionStore;
  readonly keyring: Keyring;
  readonly accessTokens: AccessTokens;
  readonly proofs: Proofs;
  readonly revocations: RevocationView;
  /** The app's; null without any. */
  readonly claims: ClaimsOf | null;
  /** Whether a timer reads the revocation log by now, so that a caller need not poll it. */
  readonly followsRevocations: () => boolean;
  /** Told of each refresh of this process. `issuedAt`: when the newest access token that is known of was issued. */
  readonly onRefreshed: (session: SessionRecord, issuedAt: number) => void;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly onEvent: EventSink;
  readonly refreshIdleTtlMs: number;
  readonly refreshAbsoluteTtlMs: number;
  readonly refreshLeewayMs: number;
}
