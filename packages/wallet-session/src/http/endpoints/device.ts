import { elapsedMs } from "../../clock.ts";
import type { IssuedTokens, PresentedRefreshToken } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { FIRST_PROOF_DUE_MS } from "../../limits.ts";
import { noteSession } from "../../request-context.ts";
import type { SessionRecord } from "../../store.ts";
import type { HttpContext } from "../context.ts";
import { challengeFor, sessionInstructions } from "../device-binding.ts";
import type { Handler } from "../handler.ts";
import { cookiesAfter, type OpenJar, openJar } from "../jar.ts";
import { problemResponse } from "../problem.ts";
import { signedIn } from "../request/credentials.ts";
import { unquoted } from "../request/unquoted.ts";
import { appendCookies, privateJson } from "../response.ts";

/**
 * `POST /api/auth/device/register`: a browser registers a key for the session of its jar. Nothing is written: the first proof
 * at the device refresh binds the session. So that it comes soon, the access cookie gets a short life.
 */
export function registerDevice(context: HttpContext): Handler {
  const { engine, cookies, deviceBinding } = context;
  return async (request) => {
    refuseScripts(request);
    if (deviceBinding === "off") throw new SessionError("not_found", "No device keys are registered here.");
    const jar = await openJar(context, request);
    const presented = await presentedBy(context, jar);
    const device = await engine.registerDevice(presented, proofOf(request) ?? "");
    const { session, deviceId, refreshToken, refreshExpiresInSeconds } = device;
    noteSession({ actorId: session.actorId, sessionId: session.id });
    const mustProve = deviceBinding === "require" && cookies.refresh(refreshToken, refreshExpiresInSeconds);
    return privateJson(sessionInstructions(context, deviceId), [
      ...(await accessForNow(context, jar, session)),
      ...(mustProve ? [mustProve] : []),
    ]);
  };
}

/**
 * `POST /api/auth/device/refresh`: a browser proves its key and gets the next tokens. Each 4xx but a 403 with a challenge, and 429
 * as well, ends the session at the browser: faults and limits are 503.
 */
export function refreshDevice(context: HttpContext): Handler {
  const { engine } = context;
  return async (request) => {
    refuseScripts(request);
    const jar = await openJar(context, request);
    const presented = await presentedBy(context, jar);
    const deviceId = textOf(request, "sec-secure-session-id") ?? "";
    try {
      const { tokens } = await engine.refreshDevice(presented, { deviceId, proof: proofOf(request) });
      return renewed(context, deviceId, tokens);
    } catch (error) {
      if (!(error instanceof SessionError) || error.status >= 500) throw error;
      return refused(context, jar, deviceId, error);
    }
  };
}

function renewed({ cookies }: HttpContext, deviceId: string, tokens: IssuedTokens): Response {
  const { session, nextChallenge } = tokens;
  noteSession({ actorId: session.actorId, sessionId: session.id });
  const headers = new Headers({ "Cache-Control": "no-store" });
  if (nextChallenge !== null) headers.set("Secure-Session-Challenge", challengeFor(deviceId, nextChallenge));
  appendCookies(headers, cookies.issued(tokens));
  return new Response(null, { headers });
}

function refused(context: HttpContext, jar: OpenJar, deviceId: string, refusal: SessionError): Response {
  const answer = problemResponse(refusal, "device");
  if (refusal.code === "proof_nonce" && refusal.challenge !== null) {
    answer.headers.set("Secure-Session-Challenge", challengeFor(deviceId, refusal.challenge));
  }
  appendCookies(answer.headers, cookiesAfter(context, jar, refusal));
  return answer;
}

/**
 * The refresh token of the jar, within the limit of its session.
 * @throws refresh_token_missing, rate_limited, and for a jar of whose tokens none counts as {@link SessionEngine.refuseJar}
 */
async function presentedBy({ engine, limits }: HttpContext, jar: OpenJar): Promise<PresentedRefreshToken> {
  if (jar.cookies.refreshTokens.length === 0) {
    throw new SessionError("refresh_token_missing", "There is no refresh token in a cookie.");
  }
  if (jar.refresh === null) throw await engine.refuseJar(jar);
  await limits.refresh(jar.refresh.sessionId);
  return jar.refresh;
}

/** Set-Cookie line of the same access cookie for a minute at most: a browser proves its key before the cookie ends. */
async function accessForNow(
  { engine, cookies, clock }: HttpContext,
  jar: OpenJar,
  { id }: SessionRecord,
): Promise<string[]> {
  const session = await signedIn(engine, jar);
  if (session === null || jar.access === null || session.sessionId !== id) return [];
  const leftMs = Math.min(FIRST_PROOF_DUE_MS, elapsedMs(clock.now(), session.accessExpiresAt));
  return [cookies.access(jar.access.token, Math.floor(leftMs / 1_000))];
}

/**
 * Browsers send these requests by themselves: no page can make them send the headers, nor sign. What a page's script sends says
 * whence it comes; `none` is what no page can say.
 * @throws cross_origin
 */
function refuseScripts({ headers }: Request): void {
  const site = headers.get("sec-fetch-site");
  const isByBrowser = site === null ? !headers.has("origin") : site === "none";
  if (isByBrowser) return;
  throw new SessionError("cross_origin", "Browsers send this request by themselves, and scripts do not.");
}

/** The draft has these texts in quotes, and Chromium sends them bare. */
function textOf({ headers }: Request, name: string): string | null {
  const text = headers.get(name);
  return text === null ? null : (unquoted(text) ?? "");
}

const proofOf = (request: Request): string | null => textOf(request, "secure-session-response");
