import { readBinding } from "../../bindings/binding.ts";
import type { IntrospectedToken } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { isSecret } from "../../tokens/hmac.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { decodeFormText } from "../request/body.ts";
import { privateJson } from "../response.ts";
import { lifetimes, readForm, required } from "./oauth.ts";

/** A resource server that may ask what a token is good for. */
export interface IntrospectionClient {
  /** Without a colon. */
  readonly id: string;
  readonly secret: string;
}

/**
 * `POST /api/auth/introspect`: what an access or a refresh token is good for (RFC 7662). Reads the row, so an ended session shows at
 * once. Only those who are no client count for a rate limit.
 */
export function introspect(context: HttpContext, clients: readonly IntrospectionClient[]): Handler {
  const { engine, publicUrl, clock, limits, clientAddress } = context;
  return async (request) => {
    if (!isClient(request, clients)) {
      await limits.stranger(clientAddress(request));
      throw new SessionError("invalid_client", "This needs the id and the secret of a client, by Basic.");
    }
    const found = await engine.introspect(required(await readForm(request), "token"));
    if (found === null) return privateJson({ active: false });
    return privateJson(describe(found, publicUrl.origin, clock.now()));
  };
}

/** Of the client's metadata nothing: it is for the eyes of its owner. */
function describe({ session, claims }: IntrospectedToken, issuer: string, now: number) {
  const [active, session_id] = [true, session.id];
  if (claims !== null) {
    const { own, ...known } = claims;
    const token_type = known.cnf === undefined ? "Bearer" : "DPoP";
    return { ...own, ...known, active, session_id, token_type };
  }
  const { actorId: sub, id: sid, rotatedAt, idleExpiresAt, expiresAt } = session;
  const binding = readBinding(session.binding);
  return {
    iss: issuer,
    aud: issuer,
    sub,
    sid,
    iat: seconds(rotatedAt),
    exp: seconds(Math.min(idleExpiresAt, expiresAt)),
    ...(binding?.kind === "dpop" && { cnf: { jkt: binding.thumbprint } }),
    active,
    session_id,
    // No type of access token: who takes only those does not take this for one.
    token_type: "refresh_token",
    ...lifetimes(session, now),
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** Compares with all of them, however early one fits. */
function isClient(request: Request, clients: readonly IntrospectionClient[]): boolean {
  const given = basicCredentials(request);
  if (given === null) return false;
  return clients.filter(({ id, secret }) => isSecret(given, `${id}:${secret}`)).length > 0;
}

/**
 * `id:secret`, which are form-encoded each before the base64 (RFC 6749 §2.3.1). No id has a colon, so they are decoded together:
 * there is one way to part them.
 */
function basicCredentials({ headers }: Request): string | null {
  const [, base64] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (base64 === undefined) return null;
  try {
    return decodeFormText(Buffer.from(base64, "base64").toString());
  } catch {
    return null;
  }
}
