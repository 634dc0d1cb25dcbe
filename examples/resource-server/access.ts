import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const issuer = process.env.ISSUER ?? "https://pay.example.com";
const audience = process.env.AUDIENCE ?? issuer;
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", issuer));
/** As long as an access token lives. */
const KEPT_MS = 15 * 60_000;
/** Ids of sessions that have ended, in the order in which this server heard of it, and when. */
const ended = new Map<string, number>();

/** Null for a token that is not good. Throws where the keys cannot be had: that says nothing of the token. */
export async function verify(token: string) {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      typ: "at+jwt",
      algorithms: ["EdDSA"],
      requiredClaims: ["sub", "sid", "exp"],
    });
    const isBearer = payload.cnf === undefined;
    return isBearer && !ended.has(String(payload.sid)) ? payload : null;
  } catch (error) {
    const refused = error instanceof errors.JOSEError && /^ERR_(JWT|JWS|JWKS_NO)/.test(error.code);
    if (refused) return null;
    throw error;
  }
}

export function sessionEnded(id: string): void {
  for (const [old, at] of ended) {
    if (at > Date.now() - KEPT_MS) break;
    ended.delete(old);
  }
  ended.set(id, Date.now());
}
