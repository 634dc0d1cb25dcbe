import { timingSafeEqual } from "node:crypto";
import { readBinding } from "../bindings/binding.ts";
import { elapsedMs } from "../clock.ts";
import type { AuthenticatedSession } from "../engine/session-engine.ts";
import { SessionError } from "../errors.ts";
import { CHALLENGE_MARK_KEPT_MS, DEVICE_STEP_UP_MS } from "../limits.ts";
import { sha256 } from "../tokens/hmac.ts";
import type { WalletMethod, WalletParameters } from "../wallets/wallet.ts";
import type { HttpContext } from "./context.ts";
import { appendCookies } from "./response.ts";

export interface StepUpOptions {
  /**
   * What the person is about to do, in a text that names all that matters, such as `withdraw 500 XLM from stream 7`. The server
   * writes it anew for each request: the signature is good for this very text, once.
   */
  readonly action: string;
  /** A sign-in that is not longer ago will do instead, in seconds. @default 0: none does */
  readonly maxAgeSeconds?: number;
}

/** `Step-Up`: the wallet's answer to a challenge for the action, as base64url of a JSON object. */
const STEP_UP_HEADER = "Step-Up";
const HEADER_MAX_CHARS = 8_192;

/**
 * Whether the one who asks has shown just now that it is they: null to go on, or what is to be answered instead.
 *
 * A wallet has signed the action; or the browser has proved the device key that the session is bound to within the last ten
 * seconds, which a redirect to the same address makes it do (DBSC); or the sign-in is young enough. A signature counts once, and so
 * does a proof of the key, on all nodes.
 * @throws SessionError insufficient_user_authentication (RFC 9470), whose `stepUp` has the hash of the action; challenge_used, and
 *   what the wallet refuses
 */
export async function stepUp(
  context: HttpContext,
  request: Request,
  session: AuthenticatedSession,
  { action, maxAgeSeconds = 0 }: StepUpOptions,
): Promise<Response | null> {
  const { engine, wallet, clock, cookies } = context;
  const { actorId, authenticatedAt } = session;
  const isYoung = authenticatedAt !== null && elapsedMs(authenticatedAt, clock.now()) < maxAgeSeconds * 1000;
  if (isYoung) return null;

  const hash = sha256(Buffer.from(action)).toString("base64url");
  const insufficient = () =>
    new SessionError(
      "insufficient_user_authentication",
      "This needs the wallet's signature for it, made now.",
      { stepUp: { action: hash, maxAgeSeconds: maxAgeSeconds > 0 ? maxAgeSeconds : null } },
    );
  const answer = signedAnswer(request, wallet);
  if (answer !== null) {
    const signed = await wallet.verify(answer);
    if (signed.actorId !== actorId || !isSame(signed.action ?? "", hash)) throw insufficient();
    if (await engine.consumeChallenge(signed.challenge)) return null;
    throw new SessionError("challenge_used", "This signature was used before. Ask for a new challenge.");
  }

  // A header is no browser's own doing, and cannot be renewed by one.
  const isByCookie = request.headers.get("authorization") === null;
  const { binding } = await engine.getSession(session);
  if (!isByCookie || readBinding(binding)?.kind !== "device") throw insufficient();
  const expiresAt = clock.now() + CHALLENGE_MARK_KEPT_MS;
  const isFresh = elapsedMs(session.issuedAt, clock.now()) < DEVICE_STEP_UP_MS;
  const id = `step-up:${session.sessionId}:${session.issuedAt}`;
  if (isFresh && (await engine.consumeChallenge({ id, expiresAt }))) return null;
  const headers = new Headers({ Location: sameAddress(request), "Cache-Control": "no-store" });
  appendCookies(headers, cookies.cleared(["access"]));
  // 307: the same request, with its method and body.
  return new Response(null, { status: 307, headers });
}

/** Null without the header. @throws invalid_request */
function signedAnswer({ headers }: Request, { takes }: WalletMethod): WalletParameters | null {
  const header = headers.get(STEP_UP_HEADER);
  if (header === null) return null;
  const members = parse(header);
  if (members === null)
    throw new SessionError("invalid_request", "Step-Up is not a JSON object in base64url.");
  return Object.fromEntries(
    takes.answer.map((name) => [name, typeof members[name] === "string" ? members[name] : undefined]),
  );
}

function parse(header: string): Readonly<Record<string, unknown>> | null {
  if (header.length > HEADER_MAX_CHARS) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Relative to itself, since a framework may have taken off how the path begins. */
function sameAddress({ url }: Request): string {
  const { pathname, search } = new URL(url);
  return `./${pathname.slice(pathname.lastIndexOf("/") + 1)}${search}`;
}
