import type { IssuedTokens } from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import { SIGN_IN_BODY_MAX_BYTES } from "../../limits.ts";
import { noteSession } from "../../request-context.ts";
import type { Transport } from "../../store.ts";
import type { WalletParameters } from "../../wallets/wallet.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { openJar, tokensToEnd } from "../jar.ts";
import { readBody, textMember } from "../request/body.ts";
import { clientMetadata } from "../request/client-metadata.ts";
import { requireSameOrigin } from "../request/credentials.ts";
import { queryValue } from "../request/query.ts";
import { cookieAnswer, privateJson, tokenAnswer } from "../response.ts";

/** `GET /api/auth/wallet`: a challenge to sign (SEP-10, "Challenge"). */
export function challenge({ wallet, limits, clientAddress }: HttpContext): Handler {
  return async (request) => {
    const parameters = texts(wallet.takes.challenge, (name) => queryValue(request, name));
    const address = clientAddress(request);
    await limits.challenge(address);
    if (wallet.asksElsewhere?.(parameters)) await limits.clientDomain(address);
    return privateJson(await wallet.challenge(parameters));
  };
}

/** `POST /api/auth/wallet`: the signed challenge for a session (SEP-10, "Token"). */
export function signIn(context: HttpContext): Handler {
  const { engine, wallet, limits, clientAddress, publicUrl } = context;
  return async (request) => {
    const transport = requestedTransport(request);
    if (transport === "cookie") requireSameOrigin(request, publicUrl);
    const body = await readBody(request, SIGN_IN_BODY_MAX_BYTES);
    const answer = texts(wallet.takes.answer, (name) => textMember(body, name));

    const address = clientAddress(request);
    await limits.signIn(address);
    const actor = await wallet.verify(answer);
    const tokens = await engine.signIn(actor, { transport, client: clientMetadata(request, address) });
    noteSession({ actorId: actor.actorId, sessionId: tokens.session.id });
    return transport === "cookie" ? answerByCookie(context, request, tokens) : answerByBody(tokens);
  };
}

function texts(names: readonly string[], read: (name: string) => string | null): WalletParameters {
  return Object.fromEntries(names.map((name) => [name, read(name) ?? undefined]));
}

function answerByBody(tokens: IssuedTokens): Response {
  return privateJson({ token: tokens.accessToken, ...tokenAnswer(tokens) });
}

async function answerByCookie(context: HttpContext, request: Request, tokens: IssuedTokens) {
  await endReplacedSession(context, request);
  return privateJson(cookieAnswer(tokens.session.id, tokens), context.cookies.issued(tokens));
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

function requestedTransport(request: Request): Transport {
  const transport = request.headers.get("session-transport") ?? "body";
  if (transport === "body" || transport === "cookie") return transport;
  throw new SessionError("invalid_request", "Session-Transport is either body or cookie.");
}
