import type { RouteHandler } from "wallet-session/http";
import { malformed } from "../refusals.ts";

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

const ENTITY_TAGS = /^(?:W\/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e]*")*$/;

/** The ETag of a version. */
export function versionTag(version: number): string {
  return `"${version}"`;
}

/**
 * Whether a version is one that `If-Match` names (RFC 9110 §13.1.1); null without the header, or with `*`. Weak tags never
 * match.
 * @throws invalid_request for a malformed header
 */
export function ifMatch(request: Request): ((version: number) => boolean) | null {
  const header = request.headers.get("if-match")?.trim() ?? "*";
  if (header === "*") return null;
  if (!ENTITY_TAGS.test(header)) {
    throw malformed('If-Match must be a version as the ETag has it: "3"');
  }
  const tags = new Set(header.split(",").map((tag) => tag.trim()));
  return (version) => tags.has(versionTag(version));
}
