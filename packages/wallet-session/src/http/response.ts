/** A JSON answer that no cache may keep: everything about a session is for one reader, once. */
export function privateJson(body: unknown, setCookies: readonly string[] = []): Response {
  const headers = new Headers({ "Content-Type": "application/json", "Cache-Control": "no-store" });
  appendCookies(headers, setCookies);
  return new Response(JSON.stringify(body), { headers });
}

export function noContent(setCookies: readonly string[] = []): Response {
  const headers = new Headers({ "Cache-Control": "no-store" });
  appendCookies(headers, setCookies);
  return new Response(null, { status: 204, headers });
}

export function seeOther(path: string, setCookies: readonly string[] = []): Response {
  const headers = new Headers({ Location: path, "Cache-Control": "no-store" });
  appendCookies(headers, setCookies);
  return new Response(null, { status: 303, headers });
}

/** Every cookie in a Set-Cookie line of its own: they must not be joined (RFC 6265 §3). */
export function appendCookies(headers: Headers, setCookies: readonly string[]): void {
  for (const cookie of setCookies) headers.append("Set-Cookie", cookie);
}
