import { SessionError } from "../errors.ts";
import { ACCEPT_RANGES_MAX } from "../limits.ts";

/**
 * Refuses requests that take no JSON. Most APIs ignore `Accept`; here 406 is part of the contract (docs/api.md), so the check
 * stays, as one option of an endpoint. @throws not_acceptable
 */
export function requireJson(request: Request): void {
  requireAcceptable(request, ["application/json", "application/problem+json"]);
}

/** Refuses requests that take none of these types (RFC 9110 §12.5.1). The message names the first. @throws not_acceptable */
export function requireAcceptable(request: Request, types: readonly [string, ...string[]]): void {
  const accept = request.headers.get("accept");
  if (accept && !types.some((type) => admits(accept, type))) {
    throw new SessionError("not_acceptable", `This endpoint answers with ${types[0]}.`);
  }
}

/** Whether the most specific range that covers the type has a weight above 0. */
function admits(accept: string, type: string): boolean {
  const ranges = accept.split(",", ACCEPT_RANGES_MAX).map(parseRange);
  for (const range of [type, `${type.split("/")[0]}/*`, "*/*"]) {
    const weights = ranges.filter((candidate) => candidate.range === range);
    if (weights.length > 0) return weights.some(({ weight }) => weight > 0);
  }
  return false;
}

function parseRange(text: string): { range: string; weight: number } {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  return { range, weight: weight === undefined ? 1 : Number(weight.slice(2)) };
}
