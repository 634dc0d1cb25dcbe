import { isLoopback } from "../config/values.ts";

/** Browsers then never again send a request to the host without TLS; for a year, counted from the last answer. */
const TLS_ONLY = "max-age=31536000";

/**
 * Headers for every answer of a service at `publicUrl`: nothing may frame it, load parts of it from elsewhere, share its
 * window, guess its types, or reach it without TLS where it has it. The `Content-Security-Policy` is that of an answer which
 * is no page, and allows nothing: a page sets its own.
 */
export function securityHeaders(publicUrl: URL): Readonly<Record<string, string>> {
  // Of a loopback host every port would be meant, and so other people's servers.
  const hasTls = publicUrl.protocol === "https:" && !isLoopback(publicUrl);
  return {
    "Content-Security-Policy":
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    ...(hasTls && { "Strict-Transport-Security": TLS_ONLY }),
  };
}
