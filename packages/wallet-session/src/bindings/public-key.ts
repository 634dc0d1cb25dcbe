import { createPublicKey, ECDH, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { isSafePublicKey } from "../ed25519-key.ts";
import { sha256 } from "../tokens/hmac.ts";
import { Recent } from "../tokens/recent.ts";
import type { ProofAlgorithm } from "./proof-algorithms.ts";

/** A key that proofs are verified with. */
export interface ProofKey {
  readonly key: KeyObject;
  /** RFC 7638, SHA-256: 43 characters. */
  readonly thumbprint: string;
}

const MEMBERS = { EC: ["crv", "kty", "x", "y"], OKP: ["crv", "kty", "x"] } as const;
/** 32 bytes in base64url. */
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;

/** Keys that a process keeps ready: to import one costs about as much as to verify a signature. */
const KEYS_KEPT = 10_000;

export type JwkReader = ReturnType<typeof createJwkReader>;

/** Reads the public keys that come with proofs. */
export function createJwkReader() {
  const kept = new Recent<ProofKey>(KEYS_KEPT);

  /**
   * The public key of a JWK that fits the algorithm: P-256 for ES256, Ed25519 for the others. Null for any other, for a point
   * that is not on its curve or of small order, and for one with a private part. Members that are of no use here, such as `kid`, are ignored.
   */
  return (jwk: unknown, algorithm: ProofAlgorithm): ProofKey | null => {
    const members = membersOf(jwk, algorithm);
    if (members === null) return null;
    // In the order of RFC 7638, §3.2: by their names.
    const text = JSON.stringify(members);
    const known = kept.get(text);
    if (known !== undefined) return known;
    const key = isSafe(members) ? importKey(members) : null;
    if (key === null) return null;
    const read = { key, thumbprint: sha256(Buffer.from(text)).toString("base64url") };
    kept.set(text, read);
    return read;
  };
}

function membersOf(jwk: unknown, algorithm: ProofAlgorithm): Record<string, string> | null {
  if (typeof jwk !== "object" || jwk === null) return null;
  const given: Readonly<Record<string, unknown>> = { ...jwk };
  const [kty, crv] = algorithm === "ES256" ? (["EC", "P-256"] as const) : (["OKP", "Ed25519"] as const);
  if (given.kty !== kty || given.crv !== crv || "d" in given || "k" in given) return null;
  const members: Record<string, string> = {};
  for (const name of MEMBERS[kty]) {
    const value = given[name];
    if (typeof value !== "string" || (name.length === 1 && !isCoordinate(value))) return null;
    members[name] = value;
  }
  return members;
}

/** Under some keys of Ed25519 versions of OpenSSL take what no private key has signed. */
function isSafe({ kty, x = "" }: Record<string, string>): boolean {
  return kty !== "OKP" || isSafePublicKey(Buffer.from(x, "base64url"));
}

function isCoordinate(text: string): boolean {
  return COORDINATE.test(text) && Buffer.from(text, "base64url").toString("base64url") === text;
}

function importKey(jwk: JsonWebKey): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return null;
  }
}

/** A P-256 point in 33 bytes (SEC 1, §2.3.3). */
export const COMPRESSED_BYTES = 33;

export function compressed({ key }: ProofKey): Buffer {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const isOdd = ((Buffer.from(y, "base64url").at(-1) ?? 0) & 1) === 1;
  return Buffer.concat([Buffer.of(isOdd ? 3 : 2), Buffer.from(x, "base64url")]);
}

/** The key of 33 bytes. Null for what is no point of the curve. */
export function decompressed(bytes: Uint8Array): KeyObject | null {
  try {
    const point = ECDH.convertKey(bytes, "prime256v1", undefined, undefined, "uncompressed");
    const text = (start: number, end: number) => Buffer.from(point.slice(start, end)).toString("base64url");
    return importKey({ kty: "EC", crv: "P-256", x: text(1, 33), y: text(33, 65) });
  } catch {
    return null;
  }
}

/** Whether the key has signed the text. An ES256 signature is r and s side by side (RFC 7518, §3.4). */
export function isSignedBy(key: KeyObject, text: string, signature: Uint8Array): boolean {
  const bytes = Buffer.from(text);
  return key.asymmetricKeyType === "ec"
    ? verify("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }, signature)
    : verify(null, bytes, key, signature);
}
