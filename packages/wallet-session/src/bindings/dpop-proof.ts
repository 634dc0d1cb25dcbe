import { timingSafeEqual } from "node:crypto";
import { sha256 } from "../tokens/hmac.ts";
import { readProofJwt } from "./proof-jwt.ts";
import type { JwkReader } from "./public-key.ts";

/** A request that a DPoP proof speaks of. */
export interface DpopRequest {
  /** The value of its `DPoP` header: one proof. */
  readonly proof: string;
  readonly method: string;
  /** Its address as its client sees it, or, behind what takes a part of the path off, the addresses that it may have there. */
  readonly urls: readonly string[];
}

/** A verified proof of possession. Says nothing about whether the key is the session's, or the proof new. */
export interface DpopProof {
  /** Of the key that has signed it (RFC 7638). */
  readonly thumbprint: string;
  /** The same for the same proof alone. */
  readonly id: string;
  /** Seconds since 1970, by the clock of the client. */
  readonly issuedAt: number;
  /** `undefined` without one. */
  readonly nonce: unknown;
}

const JTI_MAX_CHARS = 256;
const URL_MAX_CHARS = 2_048;

/**
 * Verifies a proof by RFC 9449, §4.3, checks 2 to 10 and 12a: form, type, algorithm, public key, signature, method and address,
 * and the hash of the access token that comes with it (null: none does). Null where one of them fails. Does NOT judge the time,
 * the nonce, or whose key it is.
 */
export function readDpopProof(
  readJwk: JwkReader,
  request: DpopRequest,
  accessToken: string | null,
): DpopProof | null {
  const jwt = readProofJwt(request.proof, "dpop+jwt");
  const key = jwt && readJwk(jwt.jwk, jwt.algorithm);
  if (!jwt || !key || !jwt.isSignedBy(key.key)) return null;
  const { jti, htm, htu, iat, ath, nonce } = jwt.claims;
  if (typeof jti !== "string" || jti === "" || jti.length > JTI_MAX_CHARS) return null;
  if (typeof iat !== "number" || !Number.isFinite(iat)) return null;
  if (htm !== request.method || !isAddressOf(htu, request.urls)) return null;
  if (accessToken !== null && !isHashOf(ath, accessToken)) return null;
  return {
    thumbprint: key.thumbprint,
    id: sha256(Buffer.from(`${key.thumbprint} ${jti}`)).toString("base64url"),
    issuedAt: iat,
    nonce,
  };
}

/** Scheme, host, port and path (RFC 9449, §4.3, check 9), after the normalization of RFC 3986. */
function isAddressOf(htu: unknown, urls: readonly string[]): boolean {
  if (typeof htu !== "string" || htu.length > URL_MAX_CHARS) return false;
  const given = withoutQuery(htu);
  return given !== null && urls.some((url) => withoutQuery(url) === given);
}

function withoutQuery(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/%[\da-f]{2}/gi, canonicalEscape);
}

/** RFC 3986, §6.2.2: what needs no escape has none, and the digits of others are upper case. */
function canonicalEscape(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return /[\w.~-]/.test(character) ? character : escaped.toUpperCase();
}

function isHashOf(ath: unknown, accessToken: string): boolean {
  const expected = Buffer.from(sha256(Buffer.from(accessToken)).toString("base64url"));
  const given = Buffer.from(typeof ath === "string" ? ath : "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}
