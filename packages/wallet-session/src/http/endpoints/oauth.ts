// OAuth for clients that know no other protocol: they bring a session's refresh token, and need not be registered.
import { PROOF_ALGORITHMS } from "../../bindings/proof-algorithms.ts";
import { SessionError } from "../../errors.ts";
import { REFRESH_BODY_MAX_BYTES } from "../../limits.ts";
import type { SessionRecord } from "../../store.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { type BodyMembers, readFormBody, textMember } from "../request/body.ts";
import { refuseTokensInQuery } from "../request/query.ts";
import { publicJson, tokenAnswer, tokenResponse } from "../response.ts";
import { renewByBody } from "./refresh.ts";

/** `POST /api/auth/token`: the refresh of `POST /api/auth/refresh` in the words of OAuth (RFC 6749 §6). */
export function token(context: HttpContext): Handler {
  return async (request) => {
    const body = await readForm(request);
    requireNoClient(request, body);
    const grantType = required(body, "grant_type");
    if (grantType !== "refresh_token") {
      throw new SessionError("unsupported_grant_type", "The one grant type here is refresh_token.");
    }
    if (textMember(body, "scope") !== null)
      throw new SessionError("invalid_request", "There are no scopes here.");
    const tokens = await renewByBody(context, request, required(body, "refresh_token"));
    const left = lifetimes(tokens.session, context.clock.now());
    const refresh_expires_in = left.refresh_token_timeout;
    return tokenResponse(tokens, { ...tokenAnswer(tokens), refresh_expires_in, ...left });
  };
}

/**
 * `POST /api/auth/revoke`: ends the session of a refresh or an access token (RFC 7009). Asks for no proof: who finds a token may
 * end its session, and do nothing else with it.
 */
export function revoke({ engine }: HttpContext): Handler {
  return async (request) => {
    const given = required(await readForm(request), "token");
    const isEnded = await engine.revokeByRefreshToken(given, "logout");
    if (!isEnded) await engine.revokeByAccessToken(given, "logout");
    return new Response(null, { headers: { "Cache-Control": "no-store" } });
  };
}

/** `GET /.well-known/oauth-authorization-server`: where all this is, and what it can do (RFC 8414). */
export function oauthMetadata(
  { publicUrl, paths }: HttpContext,
  jwksPath: string,
  introspects: boolean,
): Handler {
  const { origin } = publicUrl;
  const metadata = {
    issuer: origin,
    token_endpoint: origin + paths.token,
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint: origin + paths.revoke,
    revocation_endpoint_auth_methods_supported: ["none"],
    ...(introspects && {
      introspection_endpoint: origin + paths.introspect,
      introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
    }),
    jwks_uri: origin + jwksPath,
    grant_types_supported: ["refresh_token"],
    // Required, and empty: nothing here answers a redirect.
    response_types_supported: [],
    dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
    refresh_token_expiration_types_supported: ["authorization", "token_timeout"],
  };
  return async () => publicJson(JSON.stringify(metadata));
}

/**
 * Seconds in which the refresh token is to be used, and after which the session ends
 * (draft-ietf-oauth-refresh-token-expiration-03 §6.1).
 */
export function lifetimes({ idleExpiresAt, expiresAt }: SessionRecord, now: number) {
  const secondsUntil = (at: number) => Math.max(0, Math.floor((at - now) / 1000));
  return {
    refresh_token_timeout: secondsUntil(Math.min(idleExpiresAt, expiresAt)),
    authorization_expires_in: secondsUntil(expiresAt),
  };
}

/** The form of an OAuth request. @throws invalid_request */
export async function readForm(request: Request): Promise<BodyMembers> {
  refuseTokensInQuery(request);
  return readFormBody(request, REFRESH_BODY_MAX_BYTES);
}

/** @throws invalid_request */
export function required(body: BodyMembers, name: string): string {
  const value = textMember(body, name);
  if (value === null) throw new SessionError("invalid_request", `The parameter ${name} is missing.`);
  return value;
}

/** A client that believes it has proved who it is would be wrong (RFC 6749 §5.2). `client_id` alone proves nothing. */
function requireNoClient({ headers }: Request, body: BodyMembers): void {
  const secrets = ["client_secret", "client_assertion"].some((name) => textMember(body, name) !== null);
  if (headers.has("authorization") || secrets) {
    throw new SessionError("invalid_client", "Clients are not known here: send client_id at most.");
  }
}
