import type { IssuedTokens } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { noteSession } from "../../request-context.ts";
import { requireJson } from "../accept.ts";
import type { HttpContext } from "../context.ts";
import { offerRegistration } from "../device-binding.ts";
import type { Handler } from "../handler.ts";
import { type OpenJar, refreshJar } from "../jar.ts";
import { problemResponse } from "../problem.ts";
import { readTokens, requireOurPage } from "../request/credentials.ts";
import { dpopOf } from "../request/dpop.ts";
import { retryKeyFromHeader } from "../request/retry-key.ts";
import { skippedReason } from "../request/skipped-proof.ts";
import { appendCookies, cookieAnswer, privateJson, tokenResponse } from "../response.ts";

/** `POST /api/auth/refresh`: a refresh token for its successor and a fresh access token. */
export function refresh(context: HttpContext): Handler {
  return async (request) => {
    // Its endpoint serves page loads too, so the check for JSON is its own.
    requireJson(request);
    const { bodyToken, jar } = await readTokens(context, request);
    if (bodyToken !== null) return tokenResponse(await renewByBody(context, request, bodyToken));
    if (jar.cookies.refreshTokens.length === 0) {
      throw new SessionError(
        "refresh_token_missing",
        "There is no refresh token in the body or in a cookie.",
      );
    }
    requireOurPage(request, context);
    return refreshByCookie(context, request, jar);
  };
}

/** The rotation of a refresh token that came in a body, with the retry key and the proof of the request. */
export async function renewByBody(
  context: HttpContext,
  request: Request,
  token: string,
): Promise<IssuedTokens> {
  const { engine, limits } = context;
  const [retryKey, dpop] = [retryKeyFromHeader(request), dpopOf(context, request)];
  const presented = engine.readRefreshToken(token);
  await limits.refresh(presented.sessionId);
  const { tokens } = await engine.refresh(presented, { retryKey, dpop });
  noteSession({ actorId: tokens.session.actorId, sessionId: tokens.session.id });
  return tokens;
}

async function refreshByCookie(context: HttpContext, request: Request, jar: OpenJar): Promise<Response> {
  const answer = await refreshJar(context, request, jar, { mayStillProve: skippedReason(request) !== null });
  if (answer.outcome === "refreshed") {
    const body = cookieAnswer(answer.sessionId, answer);
    return offerRegistration(privateJson(body, answer.setCookies), answer.offer);
  }
  const refusal = problemResponse(answer.refusal);
  appendCookies(refusal.headers, answer.setCookies);
  return refusal;
}
