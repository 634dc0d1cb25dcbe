import type { NextConfig } from "next";

// Inline scripts are Next's own way of starting a page; without them each page would need a nonce, and so a server of its
// own at every load. What a planted script could do is bounded all the same: no token is within its reach.
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
];

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // The engine comes as TypeScript source through the root tsconfig's `paths`.
  transpilePackages: ["wallet-session"],
  // `npm run check` checks the types, tests included; a build is not the place where a test's types can fail.
  typescript: { ignoreBuildErrors: true },
  // Node libraries with their own way of loading parts; bundling gains nothing.
  serverExternalPackages: ["pino"],
  headers: async () => [
    {
      source: "/:path*",
      headers:
        // The development server evaluates code and talks over a WebSocket.
        process.env.NODE_ENV === "production"
          ? [...SECURITY_HEADERS, { key: "Content-Security-Policy", value: CONTENT_SECURITY_POLICY }]
          : SECURITY_HEADERS,
    },
  ],
};

export default config;
