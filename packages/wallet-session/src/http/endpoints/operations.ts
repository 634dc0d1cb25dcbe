import { SessionError } from "../../errors.ts";
import { isSecret } from "../../tokens/hmac.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { bearerToken } from "../request/authorization.ts";
import { PUBLIC_CACHE, privateJson, publicJson } from "../response.ts";

export const HEALTH_PATH = "/api/healthz";

/** `GET /api/healthz`: the process answers. Depends on nothing else, so a store's outage restarts no process. */
export function healthz(): Handler {
  return async () => privateJson({ status: "alive" });
}

/** `GET /api/readyz`: the store takes writes, revocations of other nodes arrive, and the app's own dependencies answer. */
export function readyz({ engine, ready }: HttpContext): Handler {
  return async () => {
    const [{ store, revocations }] = await Promise.all([engine.getReadiness(), ready()]);
    if (!store)
      throw new SessionError("store_unavailable", "The session store does not answer, or cannot be written.");
    if (!revocations)
      throw new SessionError("store_unavailable", "The view of the revocations is out of date.");
    return privateJson({ status: "ready", store, revocations });
  };
}

/** `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517). */
export function jwks({ engine }: HttpContext): Handler {
  return async () => publicJson(JSON.stringify(await engine.getJwks()));
}

/** `GET /.well-known/stellar.toml`: where wallets sign in, and whose signature they should find there (SEP-1). */
export function stellarToml({ wallet }: HttpContext): Handler {
  return async () => {
    const text = wallet.wellKnown?.["stellar.toml"];
    if (text === undefined) throw new SessionError("not_found", "The wallet here has no stellar.toml.");
    return new Response(text, {
      headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": PUBLIC_CACHE },
    });
  };
}

/** What is shown at `/api/metrics`, and to whom. */
export interface MetricsEndpoint {
  /** The collector sends it as `Authorization: Bearer`. */
  readonly token: string;
  /** The figures as they are now. `createMetrics` of `wallet-session/server` has it. */
  readonly render: () => Promise<MetricsText>;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/**
 * `GET /api/metrics`: Prometheus collects here, with the token. Without one in the options there is no such endpoint. A missing
 * and a wrong token are refused as a missing and a wrong access token are.
 */
export function metrics(options: MetricsEndpoint | null): Handler {
  return async (request) => {
    if (options === null) throw new SessionError("not_found", "There is nothing at this address.");
    const given = bearerToken(request);
    if (given === null) throw new SessionError("access_token_missing", "This needs the token for metrics.");
    if (!isSecret(given, options.token)) {
      throw new SessionError("access_token_invalid", "This is not the token for metrics.");
    }
    const { text, contentType } = await options.render();
    return new Response(text, { headers: { "Content-Type": contentType, "Cache-Control": "no-store" } });
  };
}
