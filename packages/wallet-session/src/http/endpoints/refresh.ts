import { SessionError } from "../../errors.ts";
import { noteSession } from "../../request-context.ts";
import { requireJson } from "../accept.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { type OpenJar, refreshJar } from "../jar.ts";
import { problemResponse } from "../problem.ts";
import { readTokens, requireSameOrigin } from "../request/credentials.ts";
import { retryKeyFromHeader } from "../request/retry-key.ts";
import { appendCookies, cookieAnswer, privateJson, tokenAnswer } from "../response.ts";

/** `POST /api/auth/refresh`: a refresh token for its successor and a fresh access token. */
export function refresh(context: HttpContext): Handler {
  return async (request) => {
    // Its endpoint serves page loads too, so the check for JSON is its own.
    requireJson(request);
    const { bodyToken, jar } = await readTokens(context, request);
    if (bodyToken !== null) return refreshByBody(context, request, bodyToken);
    if (jar.cookies.refreshTokens.length === 0) {
      throw new SessionError(
        "refresh_token_missing",
        "There is no refresh token in the body or in a cookie.",
      );
    }
    requireSameOrigin(request, context.publicUrl);
    return refreshByCookie(context, request, jar);
  };
}

async function refreshByBody({ engine, limits }: HttpContext, request: Request, token: string) {
  const retryKey = retryKeyFromHeader(request);
  const presented = engine.readRefreshToken(token);
  await limits.refresh(presented.sessionId);
  const { tokens } = await engine.refresh(presented, { retryKey });
  noteSession({ actorId: tokens.session.actorId, sessionId: tokens.session.id });
  return privateJson(tokenAnswer(tokens));
}

async function refreshByCookie(context: HttpContext, request: Request, jar: OpenJar): Promise<Response> {
  const answer = await refreshJar(context, request, jar);
  if (answer.outcome === "refreshed") {
    return privateJson(cookieAnswer(answer.sessionId, answer), answer.setCookies);
  }
  const refusal = problemResponse(answer.refusal);
  appendCookies(refusal.headers, answer.setCookies);
  return refusal;
}
