import { JWKS_MAX_AGE_MS } from "../../limits.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";

const PUBLIC_CACHE = `public, max-age=${JWKS_MAX_AGE_MS / 1000}`;

/** `GET /.well-known/jwks.json`: the public keys of access tokens (RFC 7517). */
export function jwks({ engine }: HttpContext): Handler {
  return async () =>
    new Response(JSON.stringify(await engine.getJwks()), {
      headers: { "Content-Type": "application/json", "Cache-Control": PUBLIC_CACHE },
    });
}

/** `GET /.well-known/stellar.toml`: where wallets sign in, and whose signature they should find there (SEP-1). */
export function stellarToml({ wallet }: HttpContext): Handler {
  return async () =>
    new Response(wallet.stellarToml(), {
      headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": PUBLIC_CACHE },
    });
}
