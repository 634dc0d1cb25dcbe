import { confirmedThumbprint } from "../bindings/binding.ts";
import type { IssuedTokens } from "../engine/session-engine.ts";
import type { SessionId } from "../store.ts";

/** For five minutes: less than the lead of a new signing key, so that verifiers know the key before it signs. */
export const PUBLIC_CACHE = "public, max-age=300";

/** The same for everybody. */
export function publicJson(json: string): Response {
  return new Response(json, {
    headers: { "Content-Type": "application/json", "Cache-Control": PUBLIC_CACHE },
  });
}

/** A JSON answer that no cache may keep: everything about a session is for one reader, once. */
export function privateJson(body: unknown, setCookies: readonly string[] = []): Response {
  const headers = new Headers({ "Content-Type": "application/json", "Cache-Control": "no-store" });
  appendCookies(headers, setCookies);
  return new Response(JSON.stringify(body), { headers });
}

export function noContent(setCookies: readonly string[] = []): Response {
  const headers = new Headers({ "Cache-Control": "no-store" });
  appendCookies(headers, setCookies);
  return new Response(null, { status: 204, headers });
}

export function seeOther(path: string, setCookies: readonly string[] = []): Response {
  const headers = new Headers({ Location: path, "Cache-Control": "no-store" });
  appendCookies(headers, setCookies);
  return new Response(null, { status: 303, headers });
}

/** To another path, where a POST arrives as it is, with its body, and everything else as a page load. */
export function redirect({ method }: Request, path: string, setCookies: readonly string[] = []): Response {
  const { headers } = seeOther(path, setCookies);
  return new Response(null, { status: method === "POST" ? 307 : 303, headers });
}

/** Every cookie in a Set-Cookie line of its own: they must not be joined (RFC 6265 §3). */
export function appendCookies(headers: Headers, setCookies: readonly string[]): void {
  for (const cookie of setCookies) headers.append("Set-Cookie", cookie);
}

/** The answer to a body-transport client, with the nonce of its next refresh where it has a DPoP key (RFC 9449, §8.2). */
export function tokenResponse(tokens: IssuedTokens, body: object = tokenAnswer(tokens)): Response {
  const response = privateJson(body);
  if (tokens.nextChallenge !== null) response.headers.set("DPoP-Nonce", tokens.nextChallenge);
  return response;
}

/** By the names of RFC 6749 §5.1. Lifetimes in seconds. */
export function tokenAnswer(tokens: IssuedTokens) {
  return {
    access_token: tokens.accessToken,
    token_type: confirmedThumbprint(tokens.session.binding) === null ? "Bearer" : "DPoP",
    expires_in: tokens.expiresInSeconds,
    refresh_token: tokens.refreshToken,
    refresh_expires_in: tokens.refreshExpiresInSeconds,
    session_id: tokens.session.id,
  };
}

/** The same less the tokens, which go into cookies that no script can read. */
export function cookieAnswer(
  sessionId: SessionId,
  left: { readonly expiresInSeconds: number; readonly refreshExpiresInSeconds: number },
) {
  return {
    token_type: "Bearer",
    expires_in: left.expiresInSeconds,
    refresh_expires_in: left.refreshExpiresInSeconds,
    session_id: sessionId,
  };
}
