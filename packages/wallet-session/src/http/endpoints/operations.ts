import { createHash, timingSafeEqual } from "node:crypto";
import { SessionError } from "../../errors.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { bearerToken } from "../request/credentials.ts";
import { privateJson } from "../response.ts";

/** Less than the lead of a new signing key, so that verifiers know the key before it signs. */
const JWKS_MAX_AGE_SECONDS = 300;
const PUBLIC_CACHE = `public, max-age=${JWKS_MAX_AGE_SECONDS}`;

export const HEALTH_PATH = "/api/healthz";

/** `GET /api/healthz`: the process answers. Depends on nothing else, so a store's outage restarts no process. */
export function healthz(): Handler {
  return async () => privateJson({ status: "alive" });
}

/** `GET /api/readyz`: the store answers, revocations of other nodes arrive, and the app's own dependencies answer. */
export function readyz({ engine, ready }: HttpContext): Handler {
  return async () => {
    const [{ store, revocations }] = await Promise.all([engine.getReadiness(), ready()]);
    if (!store) throw new SessionError("store_unavailable", "The session store does not answer.");
    if (!revocations)
      throw new SessionError("store_unavailable", "The view of the revocations is out of date.");
    return privateJson({ status: "ready", store, revocations });
  };
}

/** `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517). */
export function jwks({ engine }: HttpContext): Handler {
  return async () =>
    new Response(JSON.stringify(await engine.getJwks()), {
      headers: { "Content-Type": "application/json", "Cache-Control": PUBLIC_CACHE },
    });
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
    // The time it takes tells nothing of either text, its length included.
    if (!timingSafeEqual(digest(given), digest(options.token))) {
      throw new SessionError("access_token_invalid", "This is not the token for metrics.");
    }
    const { text, contentType } = await options.render();
    return new Response(text, { headers: { "Content-Type": contentType, "Cache-Control": "no-store" } });
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
