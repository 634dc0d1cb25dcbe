import { sessionIdFrom } from "../../session-id.ts";
import type * as contract from "../../store.ts";
import { REVOCATION_REASONS, SECURITY_EVENT_REASONS } from "../../store.ts";
import { encodeNewSessionId } from "../session-id.ts";
import { blob, integer, known, parseJson, text, unreadable } from "../values.ts";

/** What the SQL stores have in common: how records become values and come back from rows. */
export type Row = Readonly<Record<string, unknown>>;

export type SqlValue = null | number | string | Uint8Array;

/** The caller keeps its buffer, and may change it before the step is written. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

export const SESSION_COLUMNS =
  "id, actor_id, transport, generation, secret_hash, salt, retry_key_hash, created_at, rotated_at, " +
  "idle_expires_at, expires_at, revoked_at, revoked_reason, binding, client";

/**
 * In the order of SESSION_COLUMNS, the generation as the database holds it.
 * @throws RangeError for an id that cannot be stored
 */
export function encodeSession(session: contract.SessionRecord, generation: SqlValue): SqlValue[] {
  return [
    encodeNewSessionId(session.id),
    session.actorId,
    session.transport,
    generation,
    copyBytes(session.secretHash),
    copyBytes(session.salt),
    session.retryKeyHash === null ? null : copyBytes(session.retryKeyHash),
    session.createdAt,
    session.rotatedAt,
    session.idleExpiresAt,
    session.expiresAt,
    session.revokedAt,
    session.revokedReason,
    session.binding,
    JSON.stringify(session.client),
  ];
}

/** @throws when the row is not one that the store has written */
export function decodeSession(row: Row, generation: number): contract.SessionRecord {
  return {
    id: sessionId(row.id),
    actorId: text(row.actor_id),
    transport: decodeTransport(row.transport),
    generation,
    secretHash: blob(row.secret_hash),
    salt: blob(row.salt),
    retryKeyHash: row.retry_key_hash === null ? null : blob(row.retry_key_hash),
    createdAt: integer(row.created_at),
    rotatedAt: integer(row.rotated_at),
    idleExpiresAt: integer(row.idle_expires_at),
    expiresAt: integer(row.expires_at),
    revokedAt: row.revoked_at === null ? null : integer(row.revoked_at),
    revokedReason: row.revoked_reason === null ? null : decodeReason(row.revoked_reason),
    binding: row.binding === null ? null : text(row.binding),
    client: decodeClient(text(row.client)),
  };
}

/**
 * The row as the swap has left it: what the swap has just written, and the rest of the row. Decoding all 15 columns
 * would cost as much again as half the swap.
 */
export function rotatedSession(swap: contract.RotationSwap, rest: Row): contract.SessionRecord {
  const expiresAt = integer(rest.expires_at);
  return {
    id: swap.id,
    actorId: text(rest.actor_id),
    transport: swap.transport,
    generation: swap.generation + 1,
    secretHash: swap.nextSecretHash,
    salt: swap.nextSalt,
    retryKeyHash: swap.retryKeyHash,
    createdAt: integer(rest.created_at),
    rotatedAt: swap.now,
    idleExpiresAt: Math.min(swap.idleExpiresAt, expiresAt),
    expiresAt,
    revokedAt: null,
    revokedReason: null,
    binding: swap.nextBinding,
    client: decodeClient(text(rest.client)),
  };
}

/** The caller keeps its buffers, and may change them before the step is written. */
export function copySwap(swap: contract.RotationSwap): contract.RotationSwap {
  return {
    ...swap,
    secretHash: copyBytes(swap.secretHash),
    nextSecretHash: copyBytes(swap.nextSecretHash),
    nextSalt: copyBytes(swap.nextSalt),
    retryKeyHash: swap.retryKeyHash === null ? null : copyBytes(swap.retryKeyHash),
  };
}

/** @throws when the row is not one that this store has written */
function decodeRevocation(row: Row): contract.RevocationEntry {
  return {
    position: integer(row.position),
    sessionId: sessionId(row.session_id),
    revokedAt: integer(row.revoked_at),
  };
}

/** @param end the log's last position. @throws when a row is not one that this store has written */
export function decodePage(rows: readonly Row[], position: number, end: unknown): contract.RevocationPage {
  const entries = rows.map(decodeRevocation);
  return { entries, position: entries.at(-1)?.position ?? position, end: integer(end) };
}

/** @throws when the row is not one that this store has written */
export function decodeEvent(row: Row): contract.SecurityEventRecord {
  const reason = known(SECURITY_EVENT_REASONS.find((reason) => reason === row.reason));
  return { ...decodeRevocation(row), actorId: text(row.actor_id), reason };
}

/** @throws when a row is not one that this store has written */
export function decodeProofFailures(rows: readonly Row[]): Map<contract.SessionId, number> {
  return new Map(rows.map((row) => [sessionId(row.session_id), integer(row.failed_at)]));
}

/** In the order of the columns. The caller keeps its buffers. */
export function encodeSigningKey({
  kid,
  publicKey,
  sealed,
  createdAt,
  signsFrom,
}: contract.SealedSigningKey): SqlValue[] {
  return [kid, copyBytes(publicKey), copyBytes(sealed), createdAt, signsFrom];
}

/** @throws when the row is not one that this store has written */
export function decodeSigningKey(row: Row): contract.SealedSigningKey {
  return {
    kid: text(row.kid),
    publicKey: blob(row.public_key),
    sealed: blob(row.sealed),
    createdAt: integer(row.created_at),
    signsFrom: integer(row.signs_from),
  };
}

export function sessionId(value: unknown): contract.SessionId {
  return sessionIdFrom(blob(value));
}

function decodeTransport(value: unknown): contract.Transport {
  if (value !== "body" && value !== "cookie") throw unreadable();
  return value;
}

function decodeReason(value: unknown): contract.RevocationReason {
  return known(REVOCATION_REASONS.find((reason) => reason === value));
}

function decodeClient(json: string): contract.ClientMetadata {
  const client = parseJson(json);
  if (typeof client !== "object" || client === null) throw unreadable();
  return {
    browser: "browser" in client ? textOrNull(client.browser) : null,
    os: "os" in client ? textOrNull(client.os) : null,
    device: "device" in client ? textOrNull(client.device) : null,
    ip: "ip" in client ? textOrNull(client.ip) : null,
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
