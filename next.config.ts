import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // The engine comes as TypeScript source through the root tsconfig's `paths`.
  transpilePackages: ["wallet-session"],
  // `npm run check` checks the types, tests included; a build is not the place where a test's types can fail.
  typescript: { ignoreBuildErrors: true },
  // Node libraries with their own way of loading parts; bundling gains nothing.
  serverExternalPackages: ["@redis/client", "pino", "prom-client"],
  // No page needs the endpoint that scales images, and strangers could keep it busy.
  images: { unoptimized: true },
};

export default config;
