import { createHash, timingSafeEqual } from "node:crypto";
import { SessionError } from "../../errors.ts";
import type { Handler } from "../handler.ts";
import { bearerToken } from "../request/credentials.ts";

/** What is shown at `/api/metrics`, and to whom. */
export interface MetricsEndpoint {
  /** Sent by the one who collects, as `Authorization: Bearer`. */
  readonly token: string;
  /** The figures as they are now. `createMetrics` of `wallet-session/server` has it. */
  readonly render: () => Promise<MetricsText>;
}

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/**
 * `GET /api/metrics`: what Prometheus collects, for who has the token. Without one there is no such endpoint. A missing and
 * a wrong token are refused as a missing and a wrong access token are.
 */
export function metrics(options: MetricsEndpoint | null): Handler {
  return async (request) => {
    if (options === null) throw new SessionError("not_found", "There is nothing at this address.");
    const given = bearerToken(request);
    if (given === null) throw new SessionError("access_token_missing", "This needs the token for metrics.");
    if (!isSame(given, options.token)) {
      throw new SessionError("access_token_invalid", "This is not the token for metrics.");
    }
    const { text, contentType } = await options.render();
    return new Response(text, { headers: { "Content-Type": contentType, "Cache-Control": "no-store" } });
  };
}

/** In a time that tells nothing of either, its length included. */
function isSame(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
