/** Next's names for a prefetch by a script, which the browser itself does not know to be one. */
const NEXT_PREFETCH = ["next-router-prefetch", "next-router-segment-prefetch"];

/**
 * A request for a page that no person has opened yet: HEAD, a prefetch or a prerender, by the browser or by a router. Its
 * answer may be thrown away, cookies and all.
 */
export function isSpeculative({ method, headers }: Request): boolean {
  if (method === "HEAD") return true;
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? "";
  return purpose.toLowerCase().includes("prefetch") || NEXT_PREFETCH.some((name) => headers.has(name));
}

/**
 * Next's router asking for the data of a page, by a script or on the server. No person has opened that yet, and whether
 * the cookies of the answer reach the browser is the router's affair.
 */
export function isRouterFetch({ headers }: Request): boolean {
  return headers.has("rsc");
}

/**
 * A person's navigation. The browser says of a script's fetch that it is no document, also where a router's own headers are
 * hidden, as Next hides them from a proxy; a browser that says nothing at least asks for HTML.
 */
export function isPageLoad(request: Request): boolean {
  if (request.method !== "GET" || isSpeculative(request) || isRouterFetch(request)) return false;
  const destination = request.headers.get("sec-fetch-dest");
  return destination === null ? asksForHtml(request) : destination === "document";
}

/** Whether the request asks for a page in so many words, as navigations do. */
export function asksForHtml({ headers }: Request): boolean {
  return /(?:^|,)\s*text\/html\s*(?:[;,]|$)/i.test(headers.get("accept") ?? "");
}
