import type { ClientMetadata, RevocationReason, SessionId, SessionRecord, Transport } from "../store.ts";
import type { VerifiedActor } from "../wallets/wallet.ts";
import type { SessionAlarm } from "./alarms.ts";
import type { LeaseListener } from "./leases.ts";
import type { WaitingEvents } from "./outbox.ts";
import type { SessionStatus } from "./session-status.ts";

/** Access and refresh token of one generation. Lifetimes in whole seconds, rounded down. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly refreshToken: string;
  /** Until the session ends unless it is refreshed: what is left of the idle limit or of the absolute one. */
  readonly refreshExpiresIn: number;
  readonly session: SessionRecord;
}

export interface SignInOptions {
  readonly transport: Transport;
  readonly client: ClientMetadata;
}

export interface RefreshRequest {
  readonly token: string;
  /** How the token came. A session of the other transport is `refresh_token_invalid` and stays as it is. */
  readonly presentedBy: Transport;
  readonly retryKey: string | null;
  /** The access token from the same cookie jar, if there was one. Ignored for `body`. */
  readonly jarAccessToken: string | null;
}

export type RefreshResult =
  /** The token was swapped for its successor. */
  | { readonly outcome: "rotated"; readonly tokens: IssuedTokens }
  /** A retry: the very same successor again, nothing written. */
  | { readonly outcome: "replayed"; readonly tokens: IssuedTokens }
  /** The jar was renewed a moment ago: nothing issued, what is left. */
  | {
      readonly outcome: "unchanged";
      readonly session: SessionRecord;
      readonly expiresIn: number;
      readonly refreshExpiresIn: number;
    };

/** What a verified access token says. */
export interface AuthenticatedSession {
  readonly actorId: string;
  readonly sessionId: SessionId;
  readonly issuedAt: number;
  readonly accessExpiresAt: number;
}

export interface EngineStats {
  /** Since the revocation log was last read to its end, in milliseconds; null before the first time. */
  readonly revocationViewAgeMs: number | null;
  /** Leases that are held. */
  readonly leases: number;
  /** Security events that wait; null where this process does not deliver them. */
  readonly waitingEvents: WaitingEvents | null;
}

/** Sign-in, refresh, revocation and authentication of wallet sessions. Every method may throw `store_unavailable`. */
export interface SessionEngine {
  /**
   * Consumes the challenge and creates a session in one step.
   * @throws challenge_used
   */
  signIn(actor: VerifiedActor, options: SignInOptions): Promise<IssuedTokens>;

  /** @throws refresh_token_invalid, refresh_token_expired, refresh_token_revoked, refresh_token_reused */
  refresh(request: RefreshRequest): Promise<RefreshResult>;

  /**
   * Verifies an access token: strict form, signature, claims, and that its session is not known here to be revoked.
   * `fresh`: where this node's view of the revocations is older than 10 s, the row is read as well.
   * @throws access_token_invalid, access_token_expired, session_revoked
   */
  authenticate(accessToken: string, options?: { fresh?: boolean }): Promise<AuthenticatedSession>;

  /** The row behind a verified access token, read now. @throws session_revoked when it has ended. */
  getSession(authenticated: AuthenticatedSession): Promise<SessionRecord>;

  /**
   * A lease: follows the session, not its access token, from now on. The listener is warned while there is time to renew,
   * hears of each renewal, whichever tab made it, and of the end, with its reason and exactly once: at once for what
   * is revoked on this process, within a second or so for what is revoked on another. It is called synchronously and
   * should be quick; what it throws is dropped. The function returned ends the lease without a word, and so does `close`.
   *
   * A lease that nobody renews ends with its access token and a grace of two leeways; it never outlives the idle or
   * absolute limit. A store that fails ends nothing before its time. Needs the timers of `start`.
   */
  watchSession(session: AuthenticatedSession, listener: LeaseListener): () => void;

  /** What has become of a session, by its row as it stands now. For work that goes on without its user. */
  getSessionStatus(id: SessionId): Promise<SessionStatus>;

  /** The actor's live sessions, newest first. */
  listSessions(actorId: string): Promise<SessionRecord[]>;

  /** The actor's sessions that a reuse has ended within the last 7 days, newest first, 50 at most. */
  listAlarms(actorId: string): Promise<SessionAlarm[]>;

  /**
   * The session whose current refresh token this is; reads only and rotates nothing.
   * @throws refresh_token_invalid, refresh_token_expired, refresh_token_revoked
   */
  inspectRefreshToken(token: string): Promise<SessionRecord>;

  /** A further access token for a live session, signed now. @throws session_revoked */
  issueAccessToken(id: SessionId): Promise<string>;

  /** The session that an authentic refresh token of any generation names, without a look into the store; else null. */
  sessionIdOf(refreshToken: string): SessionId | null;

  /** Ends the session of an authentic refresh token of any generation. True if it was live until now. */
  revokeByRefreshToken(token: string, reason: RevocationReason): Promise<boolean>;

  /** Ends the session of a signed access token, expired or not. True if it was live until now. */
  revokeByAccessToken(token: string, reason: RevocationReason): Promise<boolean>;

  /** Ends one of the actor's own sessions. @throws not_found for someone else's, or none. */
  revokeSession(actorId: string, id: SessionId): Promise<void>;

  /** Ends the actor's sessions, all but `except`. Returns how many. */
  revokeSessions(actorId: string, except: SessionId | null): Promise<number>;

  /** Public signing keys, RFC 7517. */
  getJwks(): Promise<{ keys: JsonWebKey[] }>;

  /** Publishes a new signing key, which signs after its lead time. Returns its key id. */
  rotateSigningKey(): Promise<string>;

  /** Ready to serve: the store answers and the view of the revocations is fresh. */
  getReadiness(): Promise<{ store: boolean; revocations: boolean }>;

  /** How many sessions are neither revoked nor past their absolute end. Asks the store, which may have to count them. */
  countSessions(): Promise<number>;

  /** What this process knows of itself, without a look into the store. */
  getStats(): EngineStats;

  /** Opens the keys and the revocation view and starts the timers. @throws store_unavailable */
  start(): Promise<void>;

  /** Stops the timers and closes the store. */
  close(): Promise<void>;
}
