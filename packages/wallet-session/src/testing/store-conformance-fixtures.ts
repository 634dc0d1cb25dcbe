import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { types } from "node:util";
import { sessionIdFrom } from "../session-id.ts";
import type * as contract from "../store.ts";

/** One case: gets a store with nothing in it, throws an AssertionError if the store breaks the contract. */
export type ConformanceCase = (store: contract.SessionStore) => Promise<void>;

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** When the sessions of the cases are created. */
export const START = Date.UTC(2026, 0, 1);

/** Limits at which nothing is old enough to be pruned. */
export const NOTHING_PRUNED: contract.PruneLimits = {
  now: 0,
  sessionsBefore: 0,
  revocationsBefore: 0,
  eventsBefore: 0,
  limit: 100,
};

export const NONE: contract.PruneCounts = { sessions: 0, challenges: 0, revocations: 0, events: 0 };

/** 1 to 32 bytes that depend on the label alone. */
export function bytes(label: string, size: number): Uint8Array {
  return new Uint8Array(createHash("sha256").update(label).digest().subarray(0, size));
}

export function sessionId(label: string): contract.SessionId {
  return sessionIdFrom(bytes(`id ${label}`, 16));
}

/** A session just signed in: idle limit in 7 days, end in 30. */
export function newSession(
  label: string,
  overrides: Partial<contract.SessionRecord> = {},
): contract.SessionRecord {
  return {
    id: sessionId(label),
    actorId: `actor of ${label}`,
    transport: "body",
    generation: 1,
    secretHash: bytes(`hash of ${label}`, 32),
    salt: bytes(`salt of ${label}`, 16),
    retryKeyHash: null,
    createdAt: START,
    rotatedAt: START,
    idleExpiresAt: START + 7 * DAY,
    expiresAt: START + 30 * DAY,
    revokedAt: null,
    revokedReason: null,
    binding: null,
    client: { browser: "Firefox 140", os: "Linux", device: "desktop", ip: "192.0.2.0/24" },
    ...overrides,
  };
}

export function challenge(label: string): contract.ConsumedChallenge {
  return { id: `challenge ${label}`, expiresAt: START + 5 * MINUTE };
}

/** Creates it with a challenge of its own and returns it. */
export async function create(
  store: contract.SessionStore,
  label: string,
  overrides: Partial<contract.SessionRecord> = {},
): Promise<contract.SessionRecord> {
  const session = newSession(label, overrides);
  const created = await store.createSession(session, challenge(session.id));
  assert.deepEqual(created, { outcome: "created" });
  return session;
}

/** Creates `count` of them at once, labelled "0", "1" and so on. */
export function createMany(
  store: contract.SessionStore,
  count: number,
  overrides: Partial<contract.SessionRecord> = {},
): Promise<contract.SessionRecord[]> {
  return atOnce(count, (index) => create(store, `${index}`, overrides));
}

/** What the cases revoke with where neither reason nor time matters. */
export const REVOCATION: contract.Revocation = { reason: "admin", revokedAt: START + 2 * MINUTE };

/** Creates a session and revokes it. Returns the row that it leaves. */
export async function createRevoked(
  store: contract.SessionStore,
  label: string,
  revocation: contract.Revocation = REVOCATION,
  overrides: Partial<contract.SessionRecord> = {},
): Promise<contract.SessionRecord> {
  const session = await create(store, label, overrides);
  assert.equal(await store.revokeSession(session.id, revocation), true);
  return revoked(session, revocation);
}

/** The row that the contract asks for after the session was revoked. */
export function revoked(
  session: contract.SessionRecord,
  { reason, revokedAt }: contract.Revocation = REVOCATION,
): contract.SessionRecord {
  return { ...session, revokedAt, revokedReason: reason };
}

/** Sorted, for comparing without an order. */
export function idsOf(sessions: readonly contract.SessionRecord[]): contract.SessionId[] {
  return sessions.map(({ id }) => id).sort();
}

export function claimOrNull(
  store: contract.SessionStore,
  claim: Partial<contract.EventClaim>,
): Promise<contract.SecurityEventRecord[] | null> {
  return store.claimEvents({ owner: "a", now: START, until: START + MINUTE, limit: 100, ...claim });
}

/** The events of a call that gets the delivery claim. */
export async function claim(
  store: contract.SessionStore,
  claim: Partial<contract.EventClaim> = {},
): Promise<contract.SecurityEventRecord[]> {
  const events = await claimOrNull(store, claim);
  assert.ok(events !== null, "the delivery claim was not given");
  return events;
}

/** Of entries of the log, or of events, in their order. */
export function sessionsOf(entries: readonly contract.RevocationEntry[]): contract.SessionId[] {
  return entries.map(({ sessionId }) => sessionId);
}

export function positionsOf(entries: readonly contract.RevocationEntry[]): number[] {
  return entries.map(({ position }) => position);
}

/** A swap that matches `session`, a minute later; `label` makes its new secret and salt its own. */
export function swapOf(
  session: contract.SessionRecord,
  label: string,
  overrides: Partial<contract.RotationSwap> = {},
): contract.RotationSwap {
  const now = overrides.now ?? session.rotatedAt + MINUTE;
  return {
    id: session.id,
    transport: session.transport,
    generation: session.generation,
    secretHash: session.secretHash,
    nextSecretHash: bytes(`next hash ${label}`, 32),
    nextSalt: bytes(`next salt ${label}`, 16),
    retryKeyHash: null,
    binding: session.binding,
    nextBinding: session.binding,
    now,
    idleExpiresAt: now + 7 * DAY,
    ...overrides,
  };
}

/** The row that the contract asks for after `swap` has hit `session`. */
export function afterSwap(
  session: contract.SessionRecord,
  swap: contract.RotationSwap,
): contract.SessionRecord {
  return {
    ...session,
    generation: session.generation + 1,
    secretHash: swap.nextSecretHash,
    salt: swap.nextSalt,
    retryKeyHash: swap.retryKeyHash,
    binding: swap.nextBinding,
    rotatedAt: swap.now,
    idleExpiresAt: Math.min(swap.idleExpiresAt, session.expiresAt),
  };
}

/** One of that session at `at`, a part of those in the hour before it. */
export function proofFailure(
  { id, actorId }: Pick<contract.SessionRecord, "id" | "actorId">,
  at = START,
): contract.ProofFailure {
  return { sessionId: id, actorId, at, since: at - HOUR };
}

export function signingKey(kid: string, createdAt = START): contract.SealedSigningKey {
  return {
    kid,
    publicKey: bytes(`public ${kid}`, 32),
    sealed: bytes(`sealed ${kid}`, 32),
    createdAt,
    signsFrom: createdAt + 10 * MINUTE,
  };
}

/** Compares records whose bytes may be of any kind of Uint8Array. */
export function assertSame(actual: unknown, expected: unknown, message?: string): void {
  assert.deepEqual(comparable(actual), comparable(expected), message);
}

export async function assertRow(
  store: contract.SessionStore,
  expected: contract.SessionRecord,
): Promise<void> {
  assertSame(await store.findSession(expected.id), expected);
}

export function assertRotated(outcome: contract.RotateOutcome, expected: contract.SessionRecord): void {
  assertSame(outcome, { outcome: "rotated", session: expected });
}

export function assertUnmatched(outcome: contract.RotateOutcome, expected: contract.SessionRecord): void {
  assertSame(outcome, { outcome: "unmatched", session: expected });
}

/**
 * The ids in the revocation log after `position`, read in pages of `limit`, each once: a store may give an entry twice.
 * In the cases a session is revoked once, so an id stands for its entry.
 */
export async function readLog(
  store: contract.SessionStore,
  limit = 100,
  position = 0,
): Promise<contract.SessionId[]> {
  const ids = new Set<contract.SessionId>();
  for (let next = position; ; ) {
    const known = ids.size;
    const page = await store.revocationsAfter(next, limit);
    for (const { sessionId } of page.entries) ids.add(sessionId);
    if (ids.size === known) return [...ids];
    next = page.position;
  }
}

/** Runs `count` calls at the same moment. */
export function atOnce<Result>(count: number, call: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index)));
}

function comparable(value: unknown): unknown {
  if (types.isUint8Array(value)) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, comparable(member)]));
}
