import type { DpopRequest } from "../bindings/dpop-proof.ts";
import type { SessionError } from "../errors.ts";
import type {
  ClientMetadata,
  ConsumedChallenge,
  RevocationReason,
  SessionId,
  SessionRecord,
  Transport,
} from "../store.ts";
import type { OwnClaims } from "../tokens/own-claims.ts";
import type { AccessClaims } from "../tokens/strict-jwt.ts";
import type { VerifiedActor } from "../wallets/wallet.ts";
import type { LeaseListener } from "./lease-event.ts";

/** Access and refresh token of one generation. Lifetimes are whole seconds, rounded down. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** Seconds until the access token ends. */
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
  /** Seconds until the session ends unless it is refreshed: what is left of the idle limit or of the absolute one. */
  readonly refreshExpiresInSeconds: number;
  /** What the proof for the next refresh is to be signed over; null where the session is bound to no key. */
  readonly nextChallenge: string | null;
  readonly session: SessionRecord;
}

export interface SignInOptions {
  /** How the tokens travel. Fixed for the life of the session: a token of it that comes the other way is refused. */
  readonly transport: Transport;
  /** Shown in session lists. Null in a member: not known. Store no more than a person needs to recognise the device. */
  readonly client: ClientMetadata;
  /**
   * The DPoP proof of the sign-in (RFC 9449): the session is bound to its key for its whole life. Null: to none. For `body` alone.
   * @default null
   */
  readonly dpop?: DpopRequest | null;
  /** The key is proved at refreshes alone, and access tokens are plain bearer tokens. @default false */
  readonly refreshOnly?: boolean;
}

/** An authentic refresh token, read by {@link SessionEngine.readRefreshToken}. Says nothing about whether its session lives. */
export interface PresentedRefreshToken {
  readonly sessionId: SessionId;
}

/** The cookies of one request, as they came: of one name there may be several. */
export interface JarCookies {
  readonly refreshTokens: readonly string[];
  readonly accessTokens: readonly string[];
  /** By the session cookie; null without one. */
  readonly sessionId: SessionId | null;
}

/** A token of this service, current or not, and its session. */
export interface JarToken {
  readonly token: string;
  readonly sessionId: SessionId;
}

/** What of a jar's cookies is of this service. Says nothing about whether a session lives. */
export interface Jar {
  /** The refresh token that counts. Null where none does: a neighbour domain may have planted them all. */
  readonly refresh: PresentedRefreshToken | null;
  /** The access token, of whatever age. Null without one, and where there are several of different sessions. */
  readonly access: JarToken | null;
  /** All refresh tokens, the newest of each session, whether they count or not. */
  readonly refreshTokens: readonly JarToken[];
}

export interface RefreshOptions {
  /**
   * A secret of the client's that it sends again with a retry: the same token with the same key gets the same successor.
   * Null or left out: there is none, and a body token that comes again counts as reuse.
   * @default null
   */
  readonly retryKey?: string | null;
}

export interface BodyRefreshOptions extends RefreshOptions {
  /**
   * The DPoP proof that comes with the token. A session that is bound to its key needs one over the nonce of its generation, and
   * then no retry key: the same key is the same party. To a session that is bound to none it means nothing.
   * @default null
   */
  readonly dpop?: DpopRequest | null;
}

export interface DeviceRefreshOptions {
  /** As {@link SessionEngine.registerDevice} named the key. */
  readonly deviceId: string;
  /** The browser's proof; null: it asks for a challenge. */
  readonly proof: string | null;
}

export interface AuthenticateOptions {
  /** Where this node's view of the revocations is older than 10 s, the row is read as well. @default false */
  readonly fresh?: boolean;
  /** The DPoP proof of the request, which an access token that is bound to a key needs. @default null */
  readonly dpop?: DpopRequest | null;
}

export interface JarRefreshOptions extends RefreshOptions {
  /**
   * The access token of the same jar, which tells how long ago the jar was renewed. Null or left out: the jar has none, so
   * the refresh token rotates.
   * @default null
   */
  readonly accessToken?: string | null;
  /** The browser says that it could not prove the key of a bound session just now, which is then no copy. @default false */
  readonly couldNotProve?: boolean;
}

export interface RefreshResult {
  /** `rotated`: the token was swapped for its successor. `replayed`: a retry got the same successor again; nothing was written. */
  readonly outcome: "rotated" | "replayed";
  readonly tokens: IssuedTokens;
}

export interface RegisteredDevice {
  readonly session: SessionRecord;
  /** What the browser names the key by, at each refresh. Not a secret. */
  readonly deviceId: string;
  /**
   * The jar's token, for a jar that must prove its key: from two minutes on it is not refreshed without a proof, and no other key is
   * registered with it. A service may hand it out or not.
   */
  readonly refreshToken: string;
  readonly refreshExpiresInSeconds: number;
}

export type JarRefreshResult =
  | RefreshResult
  /** The jar was renewed a moment ago and is left alone. Seconds that are left, as in {@link IssuedTokens}. */
  | {
      readonly outcome: "unchanged";
      readonly session: SessionRecord;
      readonly expiresInSeconds: number;
      readonly refreshExpiresInSeconds: number;
    };

/** What a verified access token says. Times in milliseconds since 1970. */
export interface AuthenticatedSession {
  readonly actorId: string;
  readonly sessionId: SessionId;
  readonly issuedAt: number;
  readonly accessExpiresAt: number;
  /** When its wallet signed for the session; null for a token of a version that did not say. */
  readonly authenticatedAt: number | null;
  /** Of the key that each request with the token proves (RFC 9449); null for a bearer token. */
  readonly thumbprint: string | null;
  /** What the app's {@link ClaimsOf} had put into the token when it was issued; empty without. Frozen. */
  readonly claims: OwnClaims;
}

/** A token that is good. */
export interface IntrospectedToken {
  /** The row, read now. */
  readonly session: SessionRecord;
  /** What the access token says; null for a refresh token. */
  readonly claims: AccessClaims | null;
}

/**
 * The app's own claims for the access tokens of a session, such as a role or a tenant: JSON values, 1 KiB at most, under names
 * that no standard has taken (`sub`, `scope` and the like are refused). Asked at sign-in, at each refresh before anything is
 * written, and for a retry again. What it throws is a fault, 500: it spends no refresh token and ends no session. A change
 * shows with the next access token, after 15 minutes at most.
 */
export type ClaimsOf = (session: {
  readonly actorId: string;
  readonly sessionId: SessionId;
}) => OwnClaims | Promise<OwnClaims>;

/** What became of a session, by its row. A revoked one stays revoked when it is past its end as well. */
export type SessionStatus =
  | {
      readonly status: "live";
      readonly createdAt: number;
      readonly rotatedAt: number;
      readonly idleExpiresAt: number;
      readonly expiresAt: number;
    }
  | {
      readonly status: "revoked";
      readonly createdAt: number;
      readonly reason: RevocationReason;
      readonly revokedAt: number;
    }
  /** Past its idle or its absolute limit. */
  | { readonly status: "expired"; readonly createdAt: number }
  /** There is no such row: it never was, or was pruned long after its end. */
  | { readonly status: "unknown" };

/** A live session, for its owner. */
export interface ListedSession extends SessionRecord {
  /** When tokens of it came last without a proof of its key, which may mean that somebody has a copy; null: not in the last 7 days. */
  readonly proofFailedAt: number | null;
}

/** A session that ended because a spent token of it came again. */
export interface SessionAlarm {
  readonly sessionId: SessionId;
  readonly endedAt: number;
  /** Of the device that signed in. Nobody knows who used the spent token: the thief or the victim. */
  readonly client: ClientMetadata;
}

/** Security events that are not delivered yet, of the oldest 100. */
export interface WaitingEvents {
  readonly count: number;
  /** Of the oldest one; 0 without any. */
  readonly ageMs: number;
}

export interface EngineStats {
  /** Since the revocation log was last read to its end; null before the first time. */
  readonly revocationViewAgeMs: number | null;
  /** Leases that are held. */
  readonly leases: number;
  /** Null where this process does not deliver security events. */
  readonly waitingEvents: WaitingEvents | null;
}

/**
 * The session engine: signs in, refreshes, verifies, ends. {@link createSessionEngine} makes one. Every method that touches
 * the store can fail as `store_unavailable`: its outcome is then unknown, and it says nothing of the session. All methods may
 * be called concurrently, by any number of processes on one store.
 */
export interface SessionEngine {
  /**
   * Consumes the challenge and creates a session, in one step: of concurrent calls with one challenge, one gets a session.
   * Does NOT verify the wallet's signature: `actor` comes from a wallet method that has.
   * @throws SessionError challenge_used, challenge_invalid for the challenge of an action; with `dpop` proof_invalid, proof_nonce
   */
  signIn(actor: VerifiedActor, options: SignInOptions): Promise<IssuedTokens>;

  /**
   * Consumes a challenge that signs nobody in, such as that of an action. True for the one call that did; false where it was
   * consumed before.
   */
  consumeChallenge(challenge: ConsumedChallenge): Promise<boolean>;

  /**
   * Reads a refresh token without a look into the store, for what must know its session before the refresh, such as a rate
   * limit. {@link SessionEngine.refresh} and {@link SessionEngine.refreshJar} take the result as they take a plain string, and
   * do not verify it again.
   * Does NOT say whether the token is current or its session lives: a spent token reads as well as a current one.
   * @throws SessionError refresh_token_invalid
   */
  readRefreshToken(token: string): PresentedRefreshToken;

  /**
   * Sorts out which cookies of a jar are of this service, and which refresh token counts: one whose session the session cookie
   * names, or else the access token. A session from before there was a session cookie needs neither.
   */
  readJar(cookies: JarCookies): Promise<Jar>;

  /**
   * The refusal for a jar of whose refresh tokens none counts: `refresh_token_invalid`, and for a sole one that is spent or
   * whose session is over what {@link SessionEngine.refreshJar} says. So a spent one still ends its session.
   */
  refuseJar(jar: Jar, options?: RefreshOptions): Promise<SessionError>;

  /**
   * Swaps a body session's refresh token for its successor, with a fresh access token. Of concurrent calls with one token,
   * one swaps it; each other one gets the same successor where it has the same retry key, and is reuse where it does not. A
   * reused token ends its session before this rejects.
   * @throws SessionError refresh_token_invalid (also for the token of a cookie session, which stays as it is),
   *   refresh_token_expired, refresh_token_revoked, refresh_token_reused; of a bound session proof_missing, proof_invalid,
   *   proof_nonce, which end nothing, and whose `challenge` is for the next try
   * @example
   * ```ts
   * import type { SessionEngine } from "wallet-session";
   *
   * export async function renew(engine: SessionEngine, refreshToken: string, retryKey: string) {
   *   const { tokens } = await engine.refresh(refreshToken, { retryKey });
   *   return tokens.accessToken;
   * }
   * ```
   */
  refresh(token: string | PresentedRefreshToken, options?: BodyRefreshOptions): Promise<RefreshResult>;

  /**
   * The same for a cookie session, whose tabs share one jar: a jar renewed less than two leeways ago is left unchanged, and
   * within the leeway the spent token gets the same successor without a retry key.
   * @throws SessionError as {@link SessionEngine.refresh}; refresh_token_invalid for the token of a body session
   */
  refreshJar(token: string | PresentedRefreshToken, options?: JarRefreshOptions): Promise<JarRefreshResult>;

  /** What a browser signs to register a key for the session; null where it is bound already, or signed in by body. */
  registrationChallenge(session: SessionRecord): string | null;

  /**
   * Verifies the key that a browser registers for the session of its jar (DBSC), and names it. Writes nothing: the first
   * {@link SessionEngine.refreshDevice} with a proof binds the session, so a registration whose answer is lost leaves none.
   * `token`: the jar's. `proof`: over {@link SessionEngine.registrationChallenge}, with the public key in its header, ES256.
   * @throws SessionError proof_invalid, also where the session is bound, has ended, or has been refreshed since
   */
  registerDevice(token: string | PresentedRefreshToken, proof: string): Promise<RegisteredDevice>;

  /**
   * {@link SessionEngine.refresh} for a browser that proves the key of its session, by `Tokens.nextChallenge` or the `challenge`
   * of a refusal. The first one binds the session, if nothing was refreshed since the registration.
   * @throws SessionError as {@link SessionEngine.refresh}
   */
  refreshDevice(token: string | PresentedRefreshToken, options: DeviceRefreshOptions): Promise<RefreshResult>;

  /**
   * Verifies an access token: strict form, signature, claims, and that its session is not known here to be revoked. Makes no
   * store call once the engine has started. With a token that is bound to a key it makes one: the proof counts once, in all processes.
   * @throws SessionError access_token_invalid, access_token_expired, session_revoked; for a token that is bound to a key
   *   proof_missing, proof_invalid, proof_nonce
   * @example
   * ```ts
   * import { type SessionEngine, SessionError } from "wallet-session";
   *
   * export async function actorOf(engine: SessionEngine, accessToken: string): Promise<string | null> {
   *   try {
   *     return (await engine.authenticate(accessToken)).actorId;
   *   } catch (error) {
   *     if (error instanceof SessionError && error.status === 401) return null;
   *     throw error;
   *   }
   * }
   * ```
   */
  authenticate(accessToken: string, options?: AuthenticateOptions): Promise<AuthenticatedSession>;

  /**
   * Whether the text has the form of this service's access tokens and names it as the issuer. Does NOT verify it: anybody can
   * write one.
   */
  isOwnAccessToken(accessToken: string): boolean;

  /** The row behind a verified access token, read now. @throws SessionError session_revoked when it ended in any way */
  getSession(authenticated: AuthenticatedSession): Promise<SessionRecord>;

  /**
   * Takes a lease: follows the session, not its access token, from now on. The listener is warned while there is time to
   * renew. It hears of each renewal by any tab, of the moment when the token is outlived, and of the end, with its reason and
   * exactly once: at once for a revocation on this process, within a second or so for one on another. It is called
   * synchronously and should be quick; what it throws is dropped. The function returned ends the lease without a word, and so does `close`.
   *
   * A lease that nobody renews ends with its access token and a grace of two leeways; it never outlives the idle or
   * absolute limit. A store that fails ends nothing before its time. Needs the timers of `start`.
   * @example
   * ```ts
   * import type { SessionEngine } from "wallet-session";
   *
   * export async function payWhileItLives(engine: SessionEngine, accessToken: string, pay: (signal: AbortSignal) => Promise<void>) {
   *   const session = await engine.authenticate(accessToken);
   *   const ended = new AbortController();
   *   const stop = engine.watchSession(session, (event) => {
   *     if (event.type === "ended") ended.abort(event.code);
   *   });
   *   await pay(ended.signal).finally(stop);
   * }
   * ```
   */
  watchSession(session: AuthenticatedSession, listener: LeaseListener): () => void;

  /** What became of a session, by its row, read now. For work that goes on without its user. */
  getSessionStatus(id: SessionId): Promise<SessionStatus>;

  /** The actor's live sessions, newest first, 200 at most. */
  listSessions(actorId: string): Promise<ListedSession[]>;

  /** The actor's sessions that a reuse ended within the last 7 days, newest first, 50 at most. */
  listAlarms(actorId: string): Promise<SessionAlarm[]>;

  /**
   * The session whose current refresh token this is. Reads only: it rotates nothing, and a spent token is refused as invalid
   * without an alarm, since looking at a token is not using it.
   * @throws SessionError refresh_token_invalid, refresh_token_expired, refresh_token_revoked
   */
  inspectRefreshToken(token: string): Promise<SessionRecord>;

  /**
   * What a token is good for by the row as it stands now (RFC 7662): an access token that has not expired, or the current refresh
   * token, of a session that lives. Null for any other text. Reads only, and asks for no proof, since it is not its holder who
   * asks.
   */
  introspect(token: string): Promise<IntrospectedToken | null>;

  /** A further access token for a live session, signed now. Extends nothing. @throws SessionError session_revoked */
  issueAccessToken(id: SessionId): Promise<string>;

  /** Ends the session of an authentic refresh token of any generation. True if it was live until now; false for any other text. */
  revokeByRefreshToken(token: string, reason: RevocationReason): Promise<boolean>;

  /** Ends the session of an access token that has not expired. True if it was live until now; false for any other text. */
  revokeByAccessToken(token: string, reason: RevocationReason): Promise<boolean>;

  /** Ends one of the actor's own sessions; one that ended already stays as it is. @throws SessionError not_found */
  revokeSession(actorId: string, id: SessionId): Promise<void>;

  /** Ends the actor's sessions, all but `except` (null: all of them). Returns how many this call ended. */
  revokeSessions(actorId: string, except: SessionId | null): Promise<number>;

  /** Public signing keys, RFC 7517. */
  getJwks(): Promise<{ keys: JsonWebKey[] }>;

  /** Publishes a new signing key, which signs after its lead time of 10 minutes. Returns its key id. */
  rotateSigningKey(): Promise<string>;

  /** Ready to serve: the store answers and the view of the revocations is fresh. Never rejects for a fault of the store. */
  getReadiness(): Promise<{ store: boolean; revocations: boolean }>;

  /** How many sessions are neither revoked nor past their absolute end. Asks the store, which may have to count them. */
  countSessions(): Promise<number>;

  /** What this process knows of itself, without a look into the store. */
  getStats(): EngineStats;

  /**
   * Opens the keys and the revocation view and starts the timers. May be called again after it failed, or after `close`.
   * @throws SessionError store_unavailable
   */
  start(): Promise<void>;

  /** Stops the timers, lets deliveries of security events end, for 2 s at most, and closes the store. */
  close(): Promise<void>;
}
