import type { IssuedTokens } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { SIGN_IN_BODY_MAX_BYTES } from "../../limits.ts";
import { noteSession } from "../../request-context.ts";
import type { Transport } from "../../store.ts";
import type { WalletParameters } from "../../wallets/wallet.ts";
import type { HttpContext } from "../context.ts";
import { offerRegistration, registrationOffer } from "../device-binding.ts";
import type { Handler } from "../handler.ts";
import { openJar, tokensToEnd } from "../jar.ts";
import { readBody, textMember } from "../request/body.ts";
import { clientMetadata } from "../request/client-metadata.ts";
import { requireOurPage } from "../request/credentials.ts";
import { dpopOf } from "../request/dpop.ts";
import { queryValue } from "../request/query.ts";
import { appendCookies, cookieAnswer, privateJson, tokenAnswer, tokenResponse } from "../response.ts";

/** `GET /api/auth/wallet`: a challenge to sign (SEP-10, "Challenge"). */
export function challenge(context: HttpContext): Handler {
  const { wallet, limits, clientAddress } = context;
  return async (request) => {
    const transport = requestedTransport(request);
    const parameters = texts(wallet.takes.challenge, (name) => queryValue(request, name));
    const address = clientAddress(request);
    await limits.challenge(address);
    if (wallet.asksElsewhere?.(parameters)) await limits.clientDomain(address);
    const answer = privateJson(await wallet.challenge(parameters));
    if (transport === "cookie") askForProof(context, request, answer);
    return answer;
  };
}

/**
 * A browser may keep no cookie: on plain http, in a frame, behind a proxy. It would be told that it is signed in, and nobody
 * would hold the session. So a jar that shows no cookie of ours gets one, and its page is told: a browser that
 * is told twice keeps none. The cookie is the retry key, which a jar without tokens has no use for.
 */
function askForProof({ cookies }: HttpContext, request: Request, answer: Response): void {
  if (cookies.showsThatItKeeps(cookies.read(request))) return;
  answer.headers.set("Session-Cookies", "none");
  appendCookies(answer.headers, [cookies.newRetryKey()]);
}

/** `POST /api/auth/wallet`: the signed challenge for a session (SEP-10, "Token"). */
export function signIn(context: HttpContext): Handler {
  const { engine, wallet, limits, clientAddress, onSignIn } = context;
  return async (request) => {
    const transport = requestedTransport(request);
    if (transport === "cookie") requireOurPage(request, context);
    const binding = requestedBinding(context, request, transport);
    const body = await readBody(request, SIGN_IN_BODY_MAX_BYTES);
    const answer = texts(wallet.takes.answer, (name) => textMember(body, name));

    const address = clientAddress(request);
    await limits.signIn(address);
    const actor = await wallet.verify(answer);
    await onSignIn({ actorId: actor.actorId }, request);
    const client = clientMetadata(request, address);
    const tokens = await engine.signIn(actor, { transport, client, ...binding });
    noteSession({ actorId: actor.actorId, sessionId: tokens.session.id });
    return transport === "cookie" ? answerByCookie(context, request, tokens) : answerByBody(tokens);
  };
}

function texts(names: readonly string[], read: (name: string) => string | null): WalletParameters {
  return Object.fromEntries(names.map((name) => [name, read(name) ?? undefined]));
}

function answerByBody(tokens: IssuedTokens): Response {
  return tokenResponse(tokens, { token: tokens.accessToken, ...tokenAnswer(tokens) });
}

async function answerByCookie(context: HttpContext, request: Request, tokens: IssuedTokens) {
  await endReplacedSession(context, request);
  const answer = privateJson(cookieAnswer(tokens.session.id, tokens), context.cookies.issued(tokens));
  return offerRegistration(answer, registrationOffer(context, tokens.session));
}

/**
 * The jar is about to forget its earlier session, whose tokens could then no longer be used or ended from here. Best effort:
 * the new session stands already, and the old one runs out by itself.
 */
async function endReplacedSession(context: HttpContext, request: Request): Promise<void> {
  const { engine, onFault } = context;
  try {
    const jar = await openJar(context, request);
    for (const { token } of tokensToEnd(jar)) await engine.revokeByRefreshToken(token, "replaced");
  } catch (error) {
    if (!(error instanceof SessionError)) onFault(error);
  }
}

/**
 * What the session is to be bound to: the key of the request's DPoP proof, at each request or at refreshes alone. A client that
 * asks for more than it gets would rely on what is not there.
 */
function requestedBinding(context: HttpContext, request: Request, transport: Transport) {
  const dpop = dpopOf(context, request);
  if (dpop !== null && transport === "cookie") {
    throw new SessionError("invalid_request", "A session by cookie takes no DPoP proof.");
  }
  const binding = request.headers.get("session-binding");
  if (binding === null) return { dpop };
  if (binding === "refresh-only" && dpop !== null) return { dpop, refreshOnly: true };
  throw new SessionError("invalid_request", "Session-Binding is refresh-only, beside a DPoP proof.");
}

function requestedTransport(request: Request): Transport {
  const transport = request.headers.get("session-transport") ?? "body";
  if (transport === "body" || transport === "cookie") return transport;
  throw new SessionError("invalid_request", "Session-Transport is either body or cookie.");
}
