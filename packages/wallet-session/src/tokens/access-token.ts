import { verify as verifySignature } from "node:crypto";
import { confirmedThumbprint } from "../bindings/binding.ts";
import type { Clock, RandomBytes } from "../clock.ts";
import { SessionError } from "../errors.ts";
import { AUDIENCES_MAX_CHARS, CLOCK_TOLERANCE_MS } from "../limits.ts";
import type { SessionRecord } from "../store.ts";
import { frozen, type OwnClaims } from "./own-claims.ts";
import { Recent } from "./recent.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { type AccessClaims, readStrictJwt, writeStrictJwt } from "./strict-jwt.ts";

/** Verified access tokens that a process remembers. */
const VERIFIED_TOKENS_REMEMBERED = 10_000;

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** EdDSA access tokens (RFC 9068, RFC 8037): 15 minutes, `typ: at+jwt`. @throws RangeError for audiences that cannot be used */
export function createAccessTokens(options: {
  readonly keys: Pick<SigningKeys, "signer" | "verifier">;
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** How many verified tokens are kept at most. */
  readonly remembered?: number;
}) {
  const { keys, issuer, ttlMs, clock, random, remembered = VERIFIED_TOKENS_REMEMBERED } = options;
  const audiences = audiencesOf(options.audience);
  const [only = "", ...others] = audiences;
  /** Only texts that passed the strict reading and the signature get in, so a hit is byte for byte one of ours. */
  const verified = new Recent<AccessClaims>(remembered);

  /**
   * Signs a token for the session, with these checked claims of the app's. It ends with the session's absolute limit where that
   * comes first.
   */
  async function sign(session: SessionRecord, own: OwnClaims) {
    const { kid, key } = await keys.signer();
    const iat = Math.floor(clock.now() / 1000);
    const jkt = confirmedThumbprint(session.binding);
    const claims = {
      iss: issuer,
      aud: others.length === 0 ? only : [...audiences],
      sub: session.actorId,
      sid: session.id,
      jti: Buffer.from(random(16)).toString("base64url"),
      iat,
      auth_time: Math.floor(session.createdAt / 1000),
      exp: Math.min(iat + Math.floor(ttlMs / 1000), Math.floor(session.expiresAt / 1000)),
      ...(jkt !== null && { cnf: { jkt } }),
    };
    return { token: writeStrictJwt(kid, { ...own, ...claims }, key), claims };
  }

  /** As `verify`, whatever the token's age. @throws access_token_invalid */
  async function verifyAnyAge(token: string): Promise<AccessClaims> {
    const seen = verified.get(token);
    if (seen !== undefined) return seen;
    const claims = await readSigned(token);
    verified.set(token, claims);
    return claims;
  }

  async function readSigned(token: string): Promise<AccessClaims> {
    const jwt = readStrictJwt(token);
    if (jwt === null) throw invalid();
    const { kid, claims, signedText, signature } = jwt;
    if (claims.iss !== issuer || ![claims.aud].flat().every((name) => audiences.has(name))) throw invalid();
    const key = await keys.verifier(kid);
    // On this thread: handing the check to another one costs as much again as the check.
    if (key === null || !verifySignature(null, Buffer.from(signedText), key, signature)) throw invalid();
    frozen(claims.own);
    return claims;
  }

  /**
   * The claims of a token that we signed, for us, and that has not expired. Does NOT know whether the session still lives.
   * @throws access_token_invalid, access_token_expired
   */
  async function verify(token: string): Promise<AccessClaims> {
    const claims = await verifyAnyAge(token);
    const now = clock.now();
    if (claims.exp * 1000 <= now) {
      verified.delete(token);
      throw new SessionError("access_token_expired", "The access token has expired.");
    }
    if (claims.iat * 1000 > now + CLOCK_TOLERANCE_MS) throw invalid();
    return claims;
  }

  return { sign, verify, verifyAnyAge };
}

function audiencesOf(audience: string | readonly string[]): ReadonlySet<string> {
  const names = new Set([audience].flat());
  const chars = [...names].join("").length;
  if (chars === 0 || names.has("") || chars > AUDIENCES_MAX_CHARS) {
    throw new RangeError(
      `audience: a text or a list of texts is wanted, of ${AUDIENCES_MAX_CHARS} characters at most`,
    );
  }
  return names;
}

function invalid(): SessionError {
  return new SessionError("access_token_invalid", "The access token is not valid.");
}
