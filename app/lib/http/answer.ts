import type { RouteHandler } from "wallet-session/http";

/** For a path with `{id}`. Ids are base64url, so one that needs decoding names nothing. */
export type OneHandler = RouteHandler<{ readonly id: string }>;

/** An answer as it is sent, and as it is kept for a retry. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

export function jsonAnswer(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: JSON.stringify(value) };
}

/** No cache may keep it: it is for one reader. */
export function answerResponse({ status, headers, body }: Answer): Response {
  return new Response(body, {
    status,
    headers: { ...headers, "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}
