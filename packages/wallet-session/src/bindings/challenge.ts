import { timingSafeEqual } from "node:crypto";
import type { RandomBytes } from "../clock.ts";
import { CLOCK_TOLERANCE_MS } from "../limits.ts";
import type { SessionId } from "../session-id.ts";
import type { Keyring, SecretKeys } from "../tokens/secrets.ts";

/** What the proof over a challenge is for. One that was made for one use is none for another. */
const USES = ["registration", "rotation", "request"] as const;
type ChallengeUse = (typeof USES)[number];

/** `request` is tied to no session, since a sign-in has none yet. */
export interface ChallengeSubject {
  readonly use: ChallengeUse;
  readonly sessionId: SessionId | null;
}

/** How far a session had come when it was challenged. */
export interface ChallengedAt {
  /** At which the session stood: the next rotation spends the challenge. */
  readonly generation: number;
  /** Of the token that is to come with the proof: that of a retry swaps nothing, and that of a swap retries nothing. */
  readonly presented: number;
}

/*
 * base64url( key id 4 | use 1 | generation 4 | presented 4 | seconds since 1970 4 | random 8 | mac 16 ), big-endian. The MAC is
 * over the session's id as well. Nothing of it is stored: a node knows the challenges of every other one.
 */
const USE_AT = 4;
const GENERATION_AT = 5;
const PRESENTED_AT = 9;
const TIME_AT = 13;
const RANDOM_AT = 17;
const RANDOM_BYTES = 8;
const MAC_AT = RANDOM_AT + RANDOM_BYTES;
const MAC_BYTES = 16;
const TEXT = /^[A-Za-z0-9_-]{55}$/;

/** A challenge in 55 characters. The random part makes two of one second differ, since each counts once. */
export function writeChallenge(
  keys: SecretKeys,
  { use, sessionId }: ChallengeSubject,
  { generation, presented }: ChallengedAt,
  now: number,
  random: RandomBytes,
): string {
  const bytes = Buffer.alloc(MAC_AT + MAC_BYTES);
  bytes.writeUInt32BE(keys.keyId, 0);
  bytes.writeUInt8(USES.indexOf(use), USE_AT);
  bytes.writeUInt32BE(generation, GENERATION_AT);
  bytes.writeUInt32BE(presented, PRESENTED_AT);
  bytes.writeUInt32BE(Math.floor(now / 1000), TIME_AT);
  bytes.set(random(RANDOM_BYTES), RANDOM_AT);
  bytes.set(macOf(keys, bytes, sessionId), MAC_AT);
  return bytes.toString("base64url");
}

/**
 * What a challenge of ours names. Null for any other text, for a challenge for another use or session, and for one
 * that is older than `maxAgeMs`.
 */
export function readChallenge(
  keyring: Keyring,
  text: unknown,
  { use, sessionId }: ChallengeSubject,
  now: number,
  maxAgeMs: number,
): ChallengedAt | null {
  if (typeof text !== "string" || !TEXT.test(text)) return null;
  const bytes = Buffer.from(text, "base64url");
  const keys = keyring.find(bytes.readUInt32BE(0));
  if (keys === undefined || bytes.toString("base64url") !== text) return null;
  if (!timingSafeEqual(macOf(keys, bytes, sessionId), bytes.subarray(MAC_AT))) return null;
  if (bytes.readUInt8(USE_AT) !== USES.indexOf(use)) return null;
  const age = now - bytes.readUInt32BE(TIME_AT) * 1000;
  if (age > maxAgeMs || age < -CLOCK_TOLERANCE_MS) return null;
  return { generation: bytes.readUInt32BE(GENERATION_AT), presented: bytes.readUInt32BE(PRESENTED_AT) };
}

function macOf(keys: SecretKeys, bytes: Buffer, sessionId: SessionId | null): Buffer {
  return keys.proof.mac(bytes.subarray(0, MAC_AT), sessionId ?? "").subarray(0, MAC_BYTES);
}
