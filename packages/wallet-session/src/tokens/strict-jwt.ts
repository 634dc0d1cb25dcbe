import { type KeyObject, sign } from "node:crypto";
import { type SessionId, sessionIdOf } from "../session-id.ts";
import type { OwnClaims } from "./own-claims.ts";

const ACCESS_TOKEN_MAX_CHARS = 4_096;

/** The claims of an access token (RFC 9068 names, plus `sid`). Times in seconds since 1970. */
export interface AccessClaims {
  readonly iss: string;
  /** One alone is a text, several are a list. */
  readonly aud: string | readonly string[];
  readonly sub: string;
  readonly sid: SessionId;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  /** When the wallet signed; tokens of older versions do not say. */
  readonly auth_time?: number;
  /** The key that each request with the token must prove (RFC 9449, §6.1). */
  readonly cnf?: { readonly jkt: string };
  /** The app's, which stand beside these. */
  readonly own: OwnClaims;
}

// An Ed25519 signature is 64 bytes: 86 characters.
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;
const KID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Reads a JWT exactly as we write it: one spelling of each token, the exact header, no claim twice, every claim of
 * its type. Null for everything else. JWT libraries accept padded, spaced and otherwise altered spellings, duplicate
 * claims and a missing `exp`; a token that is remembered or refused by its text must not have two texts.
 *
 * Does NOT verify the signature, the times, the issuer or the audience.
 */
export function readStrictJwt(token: string) {
  if (token.length > ACCESS_TOKEN_MAX_CHARS || !COMPACT.test(token)) return null;
  const [header = "", payload = "", signature = ""] = token.split(".");
  const signatureBytes = Buffer.from(signature, "base64url");
  if (signatureBytes.toString("base64url") !== signature) return null;
  const kid = readHeader(decodeCanonical(header));
  const claims = readClaims(decodeCanonical(payload));
  if (kid === null || claims === null) return null;
  // The signature is of header and payload as they came.
  return { kid, claims, signedText: `${header}.${payload}`, signature: signatureBytes };
}

/** Null unless the segment is the only base64url spelling of valid UTF-8. */
function decodeCanonical(segment: string): string | null {
  const text = Buffer.from(segment, "base64url").toString("utf8");
  return Buffer.from(text, "utf8").toString("base64url") === segment ? text : null;
}

/**
 * The one spelling that {@link readStrictJwt} takes, signed with an Ed25519 key. On this thread, as the check is: WebCrypto hands each
 * signature to another one, which costs as much again (decision 0014).
 */
export function writeStrictJwt(kid: string, claims: object, key: KeyObject): string {
  const text = `${encoded(strictHeader(kid))}.${encoded(JSON.stringify(claims))}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

const encoded = (text: string) => Buffer.from(text).toString("base64url");

/** As text it leaves no room for `crit`, `jku`, `jwk`, another algorithm or type. */
function strictHeader(kid: string): string {
  return JSON.stringify({ alg: "EdDSA", typ: "at+jwt", kid });
}

function readHeader(text: string | null): string | null {
  const kid = parseCanonicalObject(text)?.kid;
  if (typeof kid !== "string" || !KID.test(kid)) return null;
  return text === strictHeader(kid) ? kid : null;
}

function readClaims(text: string | null): AccessClaims | null {
  const claims = parseCanonicalObject(text);
  if (claims === null) return null;
  const { iss, aud, sub, sid, jti, iat, exp, auth_time, cnf, ...own } = claims;
  if (!isText(iss) || !isAudience(aud) || !isText(sub) || !isText(sid) || !isText(jti)) return null;
  const sessionId = sessionIdOf(sid);
  if (sessionId === null) return null;
  if (!isSeconds(iat) || !isSeconds(exp)) return null;
  if (auth_time !== undefined && !isSeconds(auth_time)) return null;
  const known = {
    iss,
    aud,
    sub,
    sid: sessionId,
    jti,
    iat,
    exp,
    own: own as OwnClaims,
    ...(auth_time !== undefined && { auth_time }),
  };
  if (cnf === undefined) return known;
  return isConfirmation(cnf) ? { ...known, cnf } : null;
}

/** Writing the parsed value again must give the same text: that refuses doubled names, spaces and odd escapes. */
function parseCanonicalObject(text: string | null): Record<string, unknown> | null {
  if (text === null || !text.startsWith("{")) return null;
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify(value) === text ? value : null;
  } catch {
    return null;
  }
}

const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/** Any other confirmation is one that we could not check. */
function isConfirmation(value: unknown): value is { jkt: string } {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) return false;
  return "jkt" in value && typeof value.jkt === "string" && THUMBPRINT.test(value.jkt);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isAudience(value: unknown): value is string | string[] {
  return Array.isArray(value) ? value.length > 1 && value.every(isText) : isText(value);
}

function isSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
