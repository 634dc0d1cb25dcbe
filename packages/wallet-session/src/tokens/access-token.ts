import { verify as verifySignature } from "node:crypto";
import { SignJWT } from "jose";
import type { Clock, RandomBytes } from "../clock.ts";
import { SessionError } from "../errors.ts";
import { CLOCK_TOLERANCE_MS } from "../limits.ts";
import type { SessionRecord } from "../store.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { type AccessClaims, readStrictJwt, strictHeader } from "./strict-jwt.ts";

/** Verified access tokens that a process remembers. */
const VERIFIED_TOKENS_REMEMBERED = 10_000;

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/** EdDSA access tokens (RFC 9068, RFC 8037): 15 minutes, `typ: at+jwt`. */
export function createAccessTokens(options: {
  readonly keys: Pick<SigningKeys, "signer" | "verifier">;
  readonly issuer: string;
  readonly audience: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** How many verified tokens are kept at most. */
  readonly remembered?: number;
}) {
  const { keys, issuer, audience, ttlMs, clock, random, remembered = VERIFIED_TOKENS_REMEMBERED } = options;
  /** Only texts that passed the strict reading and the signature get in, so a hit is byte for byte one of ours. */
  const verified = new Recent<AccessClaims>(remembered);

  /** Signs a token for the session. It ends with the session's absolute limit where that comes first. */
  async function sign(session: SessionRecord) {
    const { kid, key } = await keys.signer();
    const iat = Math.floor(clock.now() / 1000);
    const claims: AccessClaims = {
      iss: issuer,
      aud: audience,
      sub: session.actorId,
      sid: session.id,
      jti: Buffer.from(random(16)).toString("base64url"),
      iat,
      exp: Math.min(iat + Math.floor(ttlMs / 1000), Math.floor(session.expiresAt / 1000)),
    };
    const token = await new SignJWT({ ...claims }).setProtectedHeader(strictHeader(kid)).sign(key);
    return { token, claims };
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
    if (claims.iss !== issuer || claims.aud !== audience) throw invalid();
    const key = await keys.verifier(kid);
    // On this thread: handing the check to another one costs as much again as the check.
    if (key === null || !verifySignature(null, Buffer.from(signedText), key, signature)) throw invalid();
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

function invalid(): SessionError {
  return new SessionError("access_token_invalid", "The access token is not valid.");
}

/**
 * A memory of bounded size: it holds at most `capacity` values. The values that were set or read within the last half of
 * that are among them. Two maps, of which the older is dropped whole: taking single entries off the front of one map costs
 * more with each, since it keeps a hole for every one.
 */
export class Recent<Value> {
  readonly #half: number;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2);
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: Value): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
