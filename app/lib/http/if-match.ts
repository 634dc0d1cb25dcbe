import { malformed } from "../refusals.ts";

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
