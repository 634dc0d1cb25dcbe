import { sessionIdFrom } from "../../session-id.ts";
import type * as contract from "../../store.ts";
import { GENERATION_MAX, REVOCATION_REASONS, SECURITY_EVENT_REASONS } from "../../store.ts";
import { encodeNewSessionId } from "../session-id.ts";
import { integer, known, parseJson, text, unreadable } from "../values.ts";
import type { Reply } from "./driver.ts";

/**
 * A session is one string: a head of fixed size, then the actor and, as JSON, the binding and what never changes. A rotation
 * overwrites one part of the head and a revocation another; a rotation that changes the binding writes the whole string. Numbers are big-endian; times are IEEE 754 doubles, which hold them exactly.
 *
 * `AT` says where each part begins, counted from 0. The scripts (steps.ts) read and write by the same offsets.
 */
export const AT = {
  layout: 0,
  transport: 1,
  // What a rotation overwrites begins here...
  generation: 2,
  secretHash: 6,
  salt: 38,
  hasRetryKey: 54,
  retryKeyHash: 55,
  rotatedAt: 87,
  idleExpiresAt: 95,
  // ...and ends here, where what a revocation overwrites begins.
  revokedAt: 103,
  reason: 111,
  createdAt: 112,
  expiresAt: 120,
  /** The number of bytes of the actor's id. */
  actorBytes: 128,
  actor: 132,
} as const;

/** The first byte of each row. */
export const LAYOUT = 1;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const TRANSPORTS: readonly contract.Transport[] = ["body", "cookie"];

/** Never renumbered. 0: not revoked. */
const REASON_CODES: Readonly<Record<contract.SecurityEventReason, number>> = {
  logout: 1,
  ended: 2,
  reuse: 3,
  replaced: 4,
  admin: 5,
  proof_failed: 6,
};

/** @throws RangeError for values that the row has no room for */
export function encodeSession(session: contract.SessionRecord): Buffer {
  if (!session.actorId.isWellFormed()) throw new RangeError("An actor's id is well-formed Unicode.");
  const head = Buffer.alloc(AT.actor);
  head.writeUInt8(LAYOUT, AT.layout);
  head.writeUInt8(TRANSPORTS.indexOf(session.transport), AT.transport);
  writeSecret(head, AT.generation, session);
  head.writeDoubleBE(session.rotatedAt, AT.rotatedAt);
  head.writeDoubleBE(session.idleExpiresAt, AT.idleExpiresAt);
  head.writeDoubleBE(session.revokedAt ?? 0, AT.revokedAt);
  head.writeUInt8(session.revokedReason === null ? 0 : REASON_CODES[session.revokedReason], AT.reason);
  head.writeDoubleBE(session.createdAt, AT.createdAt);
  head.writeDoubleBE(session.expiresAt, AT.expiresAt);
  const actor = Buffer.from(session.actorId);
  head.writeUInt32BE(actor.length, AT.actorBytes);
  const { browser, os, device, ip } = session.client;
  const rest = JSON.stringify([session.binding, browser, os, device, ip]);
  return Buffer.concat([head, actor, Buffer.from(rest)]);
}

/**
 * A rotation in one piece, since each piece that is sent costs. First what must stand in the row: its transport, generation and
 * secret hash. Then what is written over the row from its generation on: the secret, the time, and the idle limit. At last how the
 * row's JSON must begin, which says what it is bound to, behind the length of that; and, only where the binding changes, how the
 * JSON begins from then on.
 */
export const SWAP = {
  transport: 0,
  generation: 1,
  secretHash: 5,
  next: 37,
  now: 37 + (AT.rotatedAt - AT.generation),
  idleLimit: 37 + (AT.idleExpiresAt - AT.generation),
  bindingBytes: 37 + (AT.revokedAt - AT.generation),
  binding: 39 + (AT.revokedAt - AT.generation),
} as const;

const UNBOUND = bindingText(null);

/** How the JSON of a row begins. */
function bindingText(binding: string | null): Buffer {
  return Buffer.from(`[${JSON.stringify(binding)},`);
}

export function encodeSwap(swap: contract.RotationSwap): Buffer {
  const { binding, nextBinding } = swap;
  const expected = binding === null ? UNBOUND : bindingText(binding);
  const next = nextBinding === binding ? null : bindingText(nextBinding);
  const bytes = Buffer.allocUnsafe(SWAP.binding + expected.length + (next?.length ?? 0));
  // A hash of another length matches no row. No row has this transport.
  const comparable = swap.secretHash.length === HASH_BYTES;
  bytes.writeUInt8(comparable ? TRANSPORTS.indexOf(swap.transport) : 0xff, SWAP.transport);
  bytes.writeUInt32BE(swap.generation, SWAP.generation);
  if (comparable) bytes.set(swap.secretHash, SWAP.secretHash);
  writeSecret(bytes, SWAP.next, {
    // Nothing follows on the last generation, which the script never swaps.
    generation: Math.min(swap.generation + 1, GENERATION_MAX),
    secretHash: swap.nextSecretHash,
    salt: swap.nextSalt,
    retryKeyHash: swap.retryKeyHash,
  });
  bytes.writeDoubleBE(swap.now, SWAP.now);
  bytes.writeDoubleBE(swap.idleExpiresAt, SWAP.idleLimit);
  bytes.writeUInt16BE(expected.length, SWAP.bindingBytes);
  bytes.set(expected, SWAP.binding);
  if (next !== null) bytes.set(next, SWAP.binding + expected.length);
  return bytes;
}

/** Whether the row is as this swap leaves it, the salt above all, which is this swap's alone; and not revoked since. */
export function isLeftBy(swap: Buffer, row: Buffer): boolean {
  const secret = row.subarray(AT.generation, AT.rotatedAt);
  return secret.equals(swap.subarray(SWAP.next, SWAP.now)) && row.readUInt8(AT.reason) === 0;
}

export function haveSameSecret(row: Buffer, other: Buffer): boolean {
  return row.subarray(AT.secretHash, AT.salt).equals(other.subarray(AT.secretHash, AT.salt));
}

type Secret = Pick<contract.SessionRecord, "generation" | "secretHash" | "salt" | "retryKeyHash">;

/** @param at where the generation goes; the parts behind it stand as in a row */
function writeSecret(
  target: Buffer,
  at: number,
  { generation, secretHash, salt, retryKeyHash }: Secret,
): void {
  const place = (part: number) => at + part - AT.generation;
  target.writeUInt32BE(generation, at);
  put(target, secretHash, place(AT.secretHash), HASH_BYTES);
  put(target, salt, place(AT.salt), SALT_BYTES);
  target.writeUInt8(retryKeyHash === null ? 0 : 1, place(AT.hasRetryKey));
  if (retryKeyHash === null) target.fill(0, place(AT.retryKeyHash), place(AT.rotatedAt));
  else put(target, retryKeyHash, place(AT.retryKeyHash), HASH_BYTES);
}

function put(target: Buffer, bytes: Uint8Array, at: number, size: number): void {
  if (bytes.length !== size) throw new RangeError(`A hash has ${HASH_BYTES} bytes and a salt ${SALT_BYTES}.`);
  target.set(bytes, at);
}

/** @throws RangeError for an id that cannot be stored */
export function encodeId(id: contract.SessionId): Buffer {
  return toBuffer(encodeNewSessionId(id));
}

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeTime(time: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(time);
  return bytes;
}

export function encodeReason(reason: contract.SecurityEventReason): Buffer {
  return Buffer.of(REASON_CODES[reason]);
}

/** @throws when the row is not one that the store has written */
export function decodeSession(id: contract.SessionId, row: Buffer): contract.SessionRecord {
  if (row.length < AT.actor || row.readUInt8(AT.layout) !== LAYOUT) throw unreadable();
  const actorEnd = AT.actor + row.readUInt32BE(AT.actorBytes);
  if (actorEnd > row.length) throw unreadable();
  const hasRetryKey = row.readUInt8(AT.hasRetryKey);
  if (hasRetryKey > 1) throw unreadable();
  const reason = row.readUInt8(AT.reason);
  const [binding, browser, os, device, ip] = decodeRest(row.toString("utf8", actorEnd));
  return {
    id,
    actorId: row.toString("utf8", AT.actor, actorEnd),
    transport: known(TRANSPORTS[row.readUInt8(AT.transport)]),
    generation: row.readUInt32BE(AT.generation),
    secretHash: copyBytes(row, AT.secretHash, HASH_BYTES),
    salt: copyBytes(row, AT.salt, SALT_BYTES),
    retryKeyHash: hasRetryKey === 1 ? copyBytes(row, AT.retryKeyHash, HASH_BYTES) : null,
    createdAt: decodeTime(row, AT.createdAt),
    rotatedAt: decodeTime(row, AT.rotatedAt),
    idleExpiresAt: decodeTime(row, AT.idleExpiresAt),
    expiresAt: decodeTime(row, AT.expiresAt),
    revokedAt: reason === 0 ? null : decodeTime(row, AT.revokedAt),
    revokedReason: reason === 0 ? null : decodeReason(reason, REVOCATION_REASONS),
    binding,
    client: { browser, os, device, ip },
  };
}

type Text = string | null;

function decodeRest(json: string): [Text, Text, Text, Text, Text] {
  const rest = parseJson(json);
  if (!Array.isArray(rest) || rest.length !== 5) throw unreadable();
  const at = (index: number): Text => {
    const value: unknown = rest[index];
    if (value !== null && typeof value !== "string") throw unreadable();
    return value;
  };
  return [at(0), at(1), at(2), at(3), at(4)];
}

/** An entry of the log: position, time, reason, session. An event is the same, and the actor. */
const ENTRY_BYTES = 33;

/** @throws when the entry is not one that the store has written */
export function decodeEntry(entry: Buffer): contract.RevocationEntry {
  const { position, sessionId, revokedAt } = decodeEntryFor(entry, REVOCATION_REASONS);
  return { position, sessionId, revokedAt };
}

function decodeEntryFor<Reason extends contract.SecurityEventReason>(
  entry: Buffer,
  reasons: readonly Reason[],
) {
  if (entry.length < ENTRY_BYTES) throw unreadable();
  return {
    position: decodeTime(entry, 0),
    revokedAt: decodeTime(entry, 8),
    reason: decodeReason(entry.readUInt8(16), reasons),
    sessionId: decodeId(entry.subarray(17, ENTRY_BYTES)),
  };
}

/** @throws when the event is not one that the store has written */
export function decodeEvent(event: Buffer): contract.SecurityEventRecord {
  return {
    ...decodeEntryFor(event, SECURITY_EVENT_REASONS),
    actorId: event.toString("utf8", ENTRY_BYTES),
  };
}

/** The event from behind its position on. @throws RangeError for an id that cannot be stored */
export function encodeProofFailure({ sessionId, actorId, at }: contract.ProofFailure): Buffer {
  return Buffer.concat([
    encodeTime(at),
    encodeReason("proof_failed"),
    encodeId(sessionId),
    Buffer.from(actorId),
  ]);
}

/** @throws where it is not an id's 16 bytes */
function decodeId(bytes: Buffer): contract.SessionId {
  if (bytes.length !== 16) throw unreadable();
  return sessionIdFrom(bytes);
}

export function encodeSigningKey(key: contract.SealedSigningKey): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return JSON.stringify({ ...key, publicKey: base64(key.publicKey), sealed: base64(key.sealed) });
}

/** @throws when the key is not one that the store has written */
export function decodeSigningKey(json: Buffer): contract.SealedSigningKey {
  const key = parseJson(json.toString());
  if (typeof key !== "object" || key === null) throw unreadable();
  const { kid, publicKey, sealed, createdAt, signsFrom }: Record<string, unknown> = { ...key };
  return {
    kid: text(kid),
    publicKey: new Uint8Array(Buffer.from(text(publicKey), "base64")),
    sealed: new Uint8Array(Buffer.from(text(sealed), "base64")),
    createdAt: integer(createdAt),
    signsFrom: integer(signsFrom),
  };
}

/** A copy: the answer of which it is a part is let go. */
function copyBytes(row: Buffer, at: number, size: number): Uint8Array {
  return new Uint8Array(row.subarray(at, at + size));
}

function decodeTime(row: Buffer, at: number): number {
  const time = row.readDoubleBE(at);
  if (!Number.isSafeInteger(time)) throw unreadable();
  return time;
}

function decodeReason<Reason extends contract.SecurityEventReason>(
  code: number,
  reasons: readonly Reason[],
): Reason {
  return known(reasons.find((reason) => REASON_CODES[reason] === code));
}

/** Answers of the form id, row, id, row. */
export function decodeSessions(reply: Reply): contract.SessionRecord[] {
  return pairs(reply).map(([id, row]) => decodeSession(id, bytes(row)));
}

/** Answers of the form id, time, id, time. */
export function decodeProofFailures(reply: Reply): Map<contract.SessionId, number> {
  return new Map(pairs(reply).map(([id, time]) => [id, integer(time)]));
}

function pairs(reply: Reply): [contract.SessionId, Reply | undefined][] {
  const values = list(reply);
  return Array.from({ length: values.length / 2 }, (_, index) => [
    decodeId(bytes(values[2 * index])),
    values[2 * index + 1],
  ]);
}

export function decodeIds(reply: Reply): contract.SessionId[] {
  return list(reply).map((id) => decodeId(bytes(id)));
}

export function list(reply: Reply | undefined): readonly Reply[] {
  if (!isList(reply)) throw unreadable();
  return reply;
}

function isList(reply: Reply | undefined): reply is readonly Reply[] {
  return Array.isArray(reply);
}

export function bytes(reply: Reply | undefined): Buffer {
  if (!Buffer.isBuffer(reply)) throw unreadable();
  return reply;
}
