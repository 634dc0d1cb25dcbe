import { SessionError } from "../../errors.ts";

/**
 * Whether the browser says that a page of ours sent this. A browser that is too old for `Sec-Fetch-Site` sends `Origin`
 * with everything but GET and HEAD; a client that sends neither is not a browser and has no business with cookies.
 */
export function isSameOrigin(request: Request, publicUrl: URL): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  return request.headers.get("origin") === publicUrl.origin;
}

/** @throws cross_origin */
export function requireSameOrigin(request: Request, publicUrl: URL): void {
  if (!isSameOrigin(request, publicUrl)) {
    throw new SessionError("cross_origin", "Requests by cookie must come from the site's own pages.");
  }
}
