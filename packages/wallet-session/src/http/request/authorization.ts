import type {
  AuthenticatedSession,
  AuthenticateOptions,
  SessionEngine,
} from "../../engine/session-engine.ts";
import { SessionError } from "../../errors.ts";
import type { HttpContext } from "../context.ts";
import { isGuardRefusal } from "../problem.ts";
import { dpopOf } from "./dpop.ts";

/** The token of an `Authorization` header, in whatever form it has. */
export interface HeaderToken {
  /** `dpop`: with a proof of the key that it is bound to (RFC 9449, §7.1). */
  readonly scheme: "bearer" | "dpop";
  readonly token: string;
}

const AUTHORIZATION = /^(bearer|dpop) +(.*)$/i;
/** What programs write for a token that they do not have. */
const NO_TOKEN = /^(?:undefined|null|nil|none|nan|false|\[object \w+\]|""|'')?$/i;

/**
 * The token of `Authorization: Bearer` (RFC 6750 §2.1) or `DPoP`; null without one. One of {@link NO_TOKEN} is none: the cookie
 * beside it counts. Anything else is meant for a token, and is refused where it is no good one.
 */
export function headerToken({ headers }: Request): HeaderToken | null {
  const [, scheme = "", text = ""] = AUTHORIZATION.exec(headers.get("authorization") ?? "") ?? [];
  const token = text.trim();
  if (NO_TOKEN.test(token)) return null;
  return { scheme: scheme.toLowerCase() === "dpop" ? "dpop" : "bearer", token };
}

/** The same where a bearer token alone will do. */
export function bearerToken(request: Request): string | null {
  const given = headerToken(request);
  return given?.scheme === "bearer" ? given.token : null;
}

/**
 * The session of an `Authorization` header. A token counts by the scheme that it was issued for: one that is bound to a key opens
 * nothing as a bearer token, or its key would be worth nothing (RFC 9449, §7.2).
 * @throws as {@link SessionEngine.authenticate}
 */
export async function authenticateHeader(
  context: Pick<HttpContext, "engine" | "publicUrl" | "paths">,
  request: Request,
  { scheme, token }: HeaderToken,
  options: AuthenticateOptions = {},
): Promise<AuthenticatedSession> {
  const { engine } = context;
  if (scheme === "bearer") return authenticateBearer(engine, token, options);
  try {
    const session = await engine.authenticate(token, { ...options, dpop: dpopOf(context, request) });
    if (session.thumbprint !== null) return session;
    throw new SessionError("access_token_invalid", "The access token is a bearer token.");
  } catch (error) {
    if (!isGuardRefusal(error)) throw error;
    throw new SessionError(error.code, error.message, { endedAs: error.endedAs, scheme: "DPoP" });
  }
}

/** The session of a token that comes without a proof, in a header or in a cookie. @throws as {@link authenticateHeader} */
export async function authenticateBearer(
  engine: Pick<SessionEngine, "authenticate">,
  token: string,
  options?: AuthenticateOptions,
): Promise<AuthenticatedSession> {
  try {
    return await engine.authenticate(token, options);
  } catch (error) {
    if (!(error instanceof SessionError) || error.code !== "proof_missing") throw error;
    throw new SessionError("access_token_invalid", "The access token is bound to a key: no bearer token.");
  }
}
