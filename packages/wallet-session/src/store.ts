/**
 * The store contract. Each method but the last four is ONE atomic step: it happens wholly or not at all, it sees every step that
 * was acknowledged before it began, and once its promise resolves its write is durable. Any number of calls may run at once, in
 * any number of processes. The protocol's rules live in the engine; a store knows hashes and times, never a token or a key.
 *
 * Times are milliseconds since 1970 and always come from the caller: a store never reads a clock of its own.
 * A method that cannot do its step rejects. A rejection means "outcome unknown", never "refused".
 * A caller may change the buffers that it passed in as soon as the call has returned its promise: a store that writes later
 * copies them. A store does not check what it is given: ids, hashes and salts have the sizes that are named below.
 *
 * To write your own, implement this and run `storeConformance` from `wallet-session/testing` against it.
 */
import type { SessionId } from "./session-id.ts";

export type { SessionId };

export interface SessionStore {
  /**
   * Creates the session and consumes its challenge together, so that a challenge makes at most one session.
   * `challenge_used`: the challenge was consumed before; nothing was written. Rejects for an id that exists already.
   */
  createSession(session: SessionRecord, challenge: ConsumedChallenge): Promise<CreateOutcome>;

  /** Marks the challenge as used. True for the one call that did; false where it was used before, by a sign-in too. */
  consumeChallenge(challenge: ConsumedChallenge): Promise<boolean>;

  /**
   * The compare-and-swap of a rotation. Swaps exactly when a row with this id, transport, generation, secret hash and binding
   * exists that is neither revoked, nor idle (`idleExpiresAt <= now`), nor past its end (`expiresAt <= now`). It then writes
   * generation + 1 and the new values, `rotatedAt = now` and `idleExpiresAt = min(swap.idleExpiresAt, expiresAt)`.
   *
   * Of any number of concurrent calls for one generation, one at most is `rotated`; the others are `unmatched` and
   * get the row as it stands after the winner's write. A row at `GENERATION_MAX` never swaps.
   */
  rotate(swap: RotationSwap): Promise<RotateOutcome>;

  /** The row as it stands, live or not; null when there is none. */
  findSession(id: SessionId): Promise<SessionRecord | null>;

  /** The actor's live sessions (not revoked, not expired at `now`), newest first, `limit` at most. */
  listSessions(actorId: string, now: number, limit: number): Promise<SessionRecord[]>;

  /** The actor's sessions that were revoked for `reuse` after `since`, the last one first, `limit` at most. */
  endedByReuse(actorId: string, since: number, limit: number): Promise<SessionRecord[]>;

  /**
   * Revokes the session where it is not revoked yet and appends to the revocation log and to the security events, together.
   * True for the one call whose write hit; false when it was revoked already or there is none.
   */
  revokeSession(id: SessionId, revocation: Revocation): Promise<boolean>;

  /**
   * Revokes all of an actor's sessions that are live at `revokedAt`, except `except`, as `revokeSession` does. Returns the
   * ids that it revoked. Of concurrent calls, one at most returns an id.
   */
  revokeActor(actorId: string, revocation: Revocation, except: SessionId | null): Promise<SessionId[]>;

  /**
   * Revokes up to `limit` sessions that are neither revoked nor past their absolute end at `revokedAt`, idle ones too, as
   * `revokeSession` does. Returns the ids that it revoked. Fewer than `limit`: no session was left of those that existed when it
   * began. For an operator who ends everything.
   */
  revokeBatch(revocation: Revocation, limit: number): Promise<SessionId[]>;

  /**
   * Notes that somebody could not prove the key that a session is bound to, and appends a security event of the reason
   * `proof_failed`, together, but not to the revocation log: its session goes on. True for the one call that noted it; false,
   * and nothing is written, where a failure after `failure.since` is noted already.
   */
  noteProofFailure(failure: ProofFailure): Promise<boolean>;

  /** When a proof of each of these sessions failed last; a session without one, or whose note was pruned, is left out. */
  proofFailures(ids: readonly SessionId[]): Promise<ReadonlyMap<SessionId, number>>;

  /**
   * A page of the revocation log after `position` (0: from the beginning that is still kept), oldest first,
   * `limit` at most. Entries may come twice, none is ever left out: a store whose writes can become visible out of
   * order re-reads as far back as it must.
   */
  revocationsAfter(position: number, limit: number): Promise<RevocationPage>;

  /**
   * The outbox of security events: each session that a call revokes appends one event, in the step that revokes it, and so does
   * each proof failure that is noted. Takes the delivery claim, of which there is one, for `owner` until `until`. It gets the
   * claim where nobody holds it, where it is over at `now` (`until <= now`), and where `owner` holds it already. Then it returns
   * the oldest `limit` events. Null: another owner holds the claim. Of concurrent calls of different owners, one at most gets it.
   *
   * The events stay until they are settled: an owner that dies leaves them to the next one, who may deliver them again.
   */
  claimEvents(claim: EventClaim): Promise<SecurityEventRecord[] | null>;

  /**
   * Deletes the events up to and with `position` where `owner` still holds the delivery claim. A claim that is over counts until
   * another owner takes it. `release` gives the claim back as well. False: the owner does not hold it, and nothing was changed.
   */
  settleEvents(settled: SettledEvents): Promise<boolean>;

  /** All signing keys, in the order in which they were added. */
  signingKeys(): Promise<SealedSigningKey[]>;

  /**
   * Adds a signing key if the one added last is still `newestKid` (null: if there is none). False: another
   * process was first, and nothing was written.
   */
  addSigningKey(key: SealedSigningKey, newestKid: string | null): Promise<boolean>;

  /** Resolves when the store can be read and written, by a write that leaves nothing behind. For readiness. */
  ping(): Promise<void>;

  /**
   * Calls `wake` soon after something may have been appended to the revocation log, by any process. May call too often and
   * may miss: the log is the truth, and is read without it too. Connects again by itself, and wakes once after that. Never
   * throws. Returns the function that stops it; a store with nothing to offer returns one that does nothing.
   */
  watchRevocations(wake: () => void): () => void;

  /**
   * How many sessions are neither revoked nor past their absolute end at `now`. Idle ones count until they are pruned. For a
   * gauge: a store may count in several steps, and a session that begins or ends meanwhile is counted or not.
   */
  countSessions(now: number): Promise<number>;

  /**
   * Deletes up to `limit` rows of each kind that are of no use any more: sessions whose
   * `min(idleExpiresAt, expiresAt)` is before `sessionsBefore`, consumed challenges whose `expiresAt` is before `now`,
   * log entries with `revokedAt` before `revocationsBefore`, and security events with `revokedAt` before `eventsBefore`,
   * delivered or not. Notes of proof failures before `eventsBefore` go too, and are not counted. A session that a rotation gave
   * an earlier end than it had, as after `REFRESH_IDLE_TTL` was lowered, may be kept until the end it had. May work in several
   * steps, each of which deletes whole rows.
   */
  prune(limits: PruneLimits): Promise<PruneCounts>;

  /** Finishes the calls that were begun, then lets go of files and connections. Calls that come later reject. */
  close(): Promise<void>;
}

/** A session rotates up to this generation and then no more: it is a 32-bit number in its tokens. */
export const GENERATION_MAX = 2 ** 32 - 1;

/** How a session's tokens travel: fixed at sign-in, never taken from how a token is presented. */
export type Transport = "body" | "cookie";

export const REVOCATION_REASONS = ["logout", "ended", "reuse", "replaced", "admin"] as const;
/**
 * Why a session ended. `logout`: its own holder signed out; `ended`: from another session's list; `reuse`: a spent
 * token came again; `replaced`: the same browser signed in anew; `admin`: an operator.
 */
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** What a security event tells of. `proof_failed`: the session goes on, and a copy of its tokens was refused. */
export const SECURITY_EVENT_REASONS = [...REVOCATION_REASONS, "proof_failed"] as const;
export type SecurityEventReason = (typeof SECURITY_EVENT_REASONS)[number];

/** What a person needs to recognise a device. The address is truncated before it gets here. */
export interface ClientMetadata {
  readonly browser: string | null;
  readonly os: string | null;
  readonly device: string | null;
  readonly ip: string | null;
}

/** One session: one row of fixed size, however often it rotates. */
export interface SessionRecord {
  readonly id: SessionId;
  readonly actorId: string;
  readonly transport: Transport;
  /** 1 at sign-in, one more with each rotation; at most `GENERATION_MAX`. */
  readonly generation: number;
  /** SHA-256 of the current generation's secret: 32 bytes. */
  readonly secretHash: Uint8Array;
  /** The salt that the current secret was derived with: 16 bytes. Random and unused at generation 1. */
  readonly salt: Uint8Array;
  /** Keyed hash of the retry key of the last rotation: 32 bytes, or null when none was given. */
  readonly retryKeyHash: Uint8Array | null;
  readonly createdAt: number;
  readonly rotatedAt: number;
  readonly idleExpiresAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  readonly revokedReason: RevocationReason | null;
  /** The key that the session is bound to, in a form that is the engine's own (128 characters at most); null: to none. */
  readonly binding: string | null;
  readonly client: ClientMetadata;
}

export interface ConsumedChallenge {
  /** The same for one challenge in every form it can be written in, such as its transaction hash. */
  readonly id: string;
  /** By then no answer to the challenge can still be on its way to `createSession`, so the mark can go. */
  readonly expiresAt: number;
}

export type CreateOutcome = { readonly outcome: "created" } | { readonly outcome: "challenge_used" };

export interface RotationSwap {
  readonly id: SessionId;
  readonly transport: Transport;
  readonly generation: number;
  readonly secretHash: Uint8Array;
  readonly nextSecretHash: Uint8Array;
  readonly nextSalt: Uint8Array;
  readonly retryKeyHash: Uint8Array | null;
  /** What the row must be bound to: to just this key, or to none. */
  readonly binding: string | null;
  /** What it is bound to from now on. Mostly the same. */
  readonly nextBinding: string | null;
  readonly now: number;
  /** Capped by the row's own `expiresAt`. */
  readonly idleExpiresAt: number;
}

export type RotateOutcome =
  /** The swap was written; `session` is the row after it. */
  | { readonly outcome: "rotated"; readonly session: SessionRecord }
  /** The row is there but did not match; nothing was written. `session` is the row as it stands. */
  | { readonly outcome: "unmatched"; readonly session: SessionRecord }
  /** No such row. */
  | { readonly outcome: "unknown" };

export interface Revocation {
  readonly reason: RevocationReason;
  readonly revokedAt: number;
}

export interface ProofFailure {
  readonly sessionId: SessionId;
  readonly actorId: string;
  readonly at: number;
  /** A failure that is noted after this makes the new one part of it. */
  readonly since: number;
}

/** Positions are whole numbers that rise with each entry; the first is 1 or more. */
export interface RevocationEntry {
  readonly position: number;
  readonly sessionId: SessionId;
  readonly revokedAt: number;
}

export interface RevocationPage {
  readonly entries: readonly RevocationEntry[];
  /** Of the last entry; the next page begins after it. */
  readonly position: number;
  /**
   * The newest position that was ever given, to an entry, pruned or not, or to the event of a proof failure; 0: none. Less than
   * a position that was given before: the store is older than it was, restored or promoted.
   */
  readonly end: number;
}

/** A call for the delivery claim: the right to deliver the security events, which one owner at a time holds. */
export interface EventClaim {
  /** Names the process that asks; no other one has this name. */
  readonly owner: string;
  readonly now: number;
  /** When the claim is over, unless the owner asks again before. */
  readonly until: number;
  /** Events to return at most. */
  readonly limit: number;
}

export interface SettledEvents {
  readonly owner: string;
  /** Of the last event that needs no more delivery; 0: none. */
  readonly position: number;
  /** Whether the owner gives the delivery claim back. */
  readonly release: boolean;
}

/**
 * One revocation or proof failure. `position`: as in the log, so that it names the event once and for all; a proof failure takes
 * the next one, which the log then leaves out. `revokedAt`: when it happened.
 */
export interface SecurityEventRecord extends RevocationEntry {
  readonly actorId: string;
  readonly reason: SecurityEventReason;
}

/** A signing key as it rests in the store: the private half sealed under a key that the store never sees. */
export interface SealedSigningKey {
  readonly kid: string;
  readonly publicKey: Uint8Array;
  readonly sealed: Uint8Array;
  readonly createdAt: number;
  /** It signs from then on; it is published from `createdAt`. */
  readonly signsFrom: number;
}

export interface PruneLimits {
  readonly now: number;
  readonly sessionsBefore: number;
  readonly revocationsBefore: number;
  readonly eventsBefore: number;
  readonly limit: number;
}

export interface PruneCounts {
  readonly sessions: number;
  readonly challenges: number;
  readonly revocations: number;
  readonly events: number;
}
