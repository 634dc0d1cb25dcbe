import type {
  RevocationReason,
  RotationSwap,
  SealedSigningKey,
  SecurityEventRecord,
  SessionId,
  SessionRecord,
  Transport,
} from "../../store.ts";
import { GENERATION_MAX } from "../../store.ts";
import { encodeNewSessionId } from "../session-id.ts";

/**
 * A session is one string: a head of fixed size, of which a rotation overwrites one part and a revocation another, then the
 * actor and what does not change. Numbers are big-endian; times are IEEE 754 doubles, which hold them exactly. The scripts
 * read and write by the same offsets.
 *
 * 0 layout | 1 transport | 2 generation | 6 secret hash | 38 salt | 54 retry key? | 55 its hash | 87 rotated | 95 idle end |
 * 103 revoked | 111 reason | 112 created | 120 end | 128 length of the actor | 132 actor | JSON of the rest
 */
const LAYOUT = 1;
const HEAD_BYTES = 132;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const TRANSPORTS: readonly Transport[] = ["body", "cookie"];

/** Never renumbered. 0: not revoked. */
const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  logout: 1,
  ended: 2,
  reuse: 3,
  replaced: 4,
  admin: 5,
};

/** @throws RangeError for values that the row has no room for */
export function encodeSession(session: SessionRecord): Buffer {
  if (!session.actorId.isWellFormed()) throw new RangeError("An actor's id is well-formed Unicode.");
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(LAYOUT, 0);
  head.writeUInt8(TRANSPORTS.indexOf(session.transport), 1);
  const { rotatedAt, idleExpiresAt } = session;
  writeSecret(head, 2, session);
  head.writeDoubleBE(rotatedAt, 87);
  head.writeDoubleBE(idleExpiresAt, 95);
  head.writeDoubleBE(session.revokedAt ?? 0, 103);
  head.writeUInt8(session.revokedReason === null ? 0 : REASON_CODES[session.revokedReason], 111);
  head.writeDoubleBE(session.createdAt, 112);
  head.writeDoubleBE(session.expiresAt, 120);
  const actor = Buffer.from(session.actorId);
  head.writeUInt32BE(actor.length, 128);
  const { browser, os, device, ip } = session.client;
  const rest = JSON.stringify([session.binding, browser, os, device, ip]);
  return Buffer.concat([head, actor, Buffer.from(rest)]);
}

/**
 * A rotation in one piece, since each piece that is sent costs: what it compares (transport, generation and secret hash as they
 * stand in the row), what it writes, then now and the idle limit.
 */
export function encodeSwap(swap: RotationSwap): Buffer {
  const bytes = Buffer.allocUnsafe(138);
  // A hash of another length matches no row, and so no transport is the one of any.
  const comparable = swap.secretHash.length === HASH_BYTES;
  bytes.writeUInt8(comparable ? TRANSPORTS.indexOf(swap.transport) : 0xff, 0);
  bytes.writeUInt32BE(swap.generation, 1);
  if (comparable) bytes.set(swap.secretHash, 5);
  writeSecret(bytes, 37, {
    // Nothing follows on the last generation, which the script never swaps.
    generation: Math.min(swap.generation + 1, GENERATION_MAX),
    secretHash: swap.nextSecretHash,
    salt: swap.nextSalt,
    retryKeyHash: swap.retryKeyHash,
  });
  bytes.writeDoubleBE(swap.now, 122);
  bytes.writeDoubleBE(swap.idleExpiresAt, 130);
  return bytes;
}

/** Whether the row is as this swap leaves it, the salt above all, which is this swap's alone; and not revoked since. */
export function isLeftBy(swap: Buffer, row: Buffer): boolean {
  return row.subarray(2, 87).equals(swap.subarray(37, 122)) && row.readUInt8(111) === 0;
}

export function haveSameSecret(row: Buffer, other: Buffer): boolean {
  return row.subarray(6, 38).equals(other.subarray(6, 38));
}

type Secret = Pick<SessionRecord, "generation" | "secretHash" | "salt" | "retryKeyHash">;

function writeSecret(
  target: Buffer,
  at: number,
  { generation, secretHash, salt, retryKeyHash }: Secret,
): void {
  target.writeUInt32BE(generation, at);
  put(target, secretHash, at + 4, HASH_BYTES);
  put(target, salt, at + 36, SALT_BYTES);
  target.writeUInt8(retryKeyHash === null ? 0 : 1, at + 52);
  if (retryKeyHash === null) target.fill(0, at + 53, at + 85);
  else put(target, retryKeyHash, at + 53, HASH_BYTES);
}

function put(target: Buffer, bytes: Uint8Array, at: number, size: number): void {
  if (bytes.length !== size) throw new RangeError(`A hash has ${HASH_BYTES} bytes and a salt ${SALT_BYTES}.`);
  target.set(bytes, at);
}

/** @throws RangeError for an id that cannot be stored */
export function encodeId(id: SessionId): Buffer {
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

export function encodeReason(reason: RevocationReason): Buffer {
  return Buffer.of(REASON_CODES[reason]);
}

/** @throws when the row is not one that the store has written */
export function decodeSession(id: SessionId, row: Buffer): SessionRecord {
  if (row.length < HEAD_BYTES || row.readUInt8(0) !== LAYOUT) throw unreadable();
  const actorEnd = HEAD_BYTES + row.readUInt32BE(128);
  if (actorEnd > row.length) throw unreadable();
  const hasRetryKey = row.readUInt8(54);
  if (hasRetryKey > 1) throw unreadable();
  const reason = row.readUInt8(111);
  const [binding, browser, os, device, ip] = decodeRest(row.toString("utf8", actorEnd));
  return {
    id,
    actorId: row.toString("utf8", HEAD_BYTES, actorEnd),
    transport: known(TRANSPORTS[row.readUInt8(1)]),
    generation: row.readUInt32BE(2),
    secretHash: copyBytes(row, 6, HASH_BYTES),
    salt: copyBytes(row, 38, SALT_BYTES),
    retryKeyHash: hasRetryKey === 1 ? copyBytes(row, 55, HASH_BYTES) : null,
    createdAt: decodeTime(row, 112),
    rotatedAt: decodeTime(row, 87),
    idleExpiresAt: decodeTime(row, 95),
    expiresAt: decodeTime(row, 120),
    revokedAt: reason === 0 ? null : decodeTime(row, 103),
    revokedReason: reason === 0 ? null : decodeReason(reason),
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
export function decodeEntry(entry: Buffer): Omit<SecurityEventRecord, "actorId"> {
  if (entry.length < ENTRY_BYTES) throw unreadable();
  return {
    position: decodeTime(entry, 0),
    revokedAt: decodeTime(entry, 8),
    reason: decodeReason(entry.readUInt8(16)),
    sessionId: decodeSessionId(entry.subarray(17, ENTRY_BYTES)),
  };
}

/** @throws when the event is not one that the store has written */
export function decodeEvent(event: Buffer): SecurityEventRecord {
  return { ...decodeEntry(event), actorId: event.toString("utf8", ENTRY_BYTES) };
}

/** @throws where it is not an id's 16 bytes */
export function decodeSessionId(bytes: Buffer): SessionId {
  if (bytes.length !== 16) throw unreadable();
  return bytes.toString("base64url");
}

export function encodeSigningKey({ kid, publicKey, sealed, createdAt, signsFrom }: SealedSigningKey): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return JSON.stringify({
    kid,
    publicKey: base64(publicKey),
    sealed: base64(sealed),
    createdAt,
    signsFrom,
  });
}

/** @throws when the key is not one that the store has written */
export function decodeSigningKey(json: Buffer): SealedSigningKey {
  const key = parseJson(json.toString());
  if (typeof key !== "object" || key === null) throw unreadable();
  const member = (name: string): unknown => Object.getOwnPropertyDescriptor(key, name)?.value;
  const text = (name: string): string => {
    const value = member(name);
    if (typeof value !== "string") throw unreadable();
    return value;
  };
  const time = (name: string): number => {
    const value = member(name);
    if (typeof value !== "number") throw unreadable();
    return value;
  };
  return {
    kid: text("kid"),
    publicKey: new Uint8Array(Buffer.from(text("publicKey"), "base64")),
    sealed: new Uint8Array(Buffer.from(text("sealed"), "base64")),
    createdAt: time("createdAt"),
    signsFrom: time("signsFrom"),
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

function decodeReason(code: number): RevocationReason {
  const reasons = Object.keys(REASON_CODES) as RevocationReason[];
  return known(reasons.find((reason) => REASON_CODES[reason] === code));
}

function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw unreadable();
  return value;
}

/** Without the words of JSON.parse, which quote what they fail at. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw unreadable();
  }
}

/** Says nothing of the value, which may be a hash. */
export function unreadable(): Error {
  return new Error("A value in Redis is not as this store writes it.");
}
