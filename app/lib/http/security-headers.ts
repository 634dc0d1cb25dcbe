import { randomBytes } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { securityHeaders } from "wallet-session/kit";

const NO_PAGE = /^\/(?:api|_next|\.well-known)\//;
const POLICY = "content-security-policy";

/**
 * Sets them on whatever the server answers from now on, Next's own errors and files included. A page gets a policy of its own.
 * No proxy sets that: Next copies each header of each request several times to ask one.
 */
export function setSecurityHeaders(publicUrl: URL): void {
  const headers = new Map(Object.entries(securityHeaders(publicUrl)));
  // The development server evaluates code and talks over a WebSocket, also on pages of its own.
  const isDevelopment = process.env.NODE_ENV !== "production";
  if (isDevelopment) headers.delete("Content-Security-Policy");
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as HttpRequestStart;
    response.setHeaders(headers);
    if (!isDevelopment && !NO_PAGE.test(request.url ?? "")) setPagePolicy(request, response);
  });
}

/** Next puts the nonce that it finds in the request's policy on all scripts of the page, its own inline ones included. */
function setPagePolicy(request: IncomingMessage, response: ServerResponse): void {
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${randomBytes(24).toString("base64")}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
  request.headers[POLICY] = policy;
  response.setHeader(POLICY, policy);
}

interface HttpRequestStart {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
