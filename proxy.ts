import { sessionProxy } from "wallet-session/next";

/** Renews the session of a guarded page before it is rendered. Each page checks for itself who is there. */
export const proxy = sessionProxy({ signInPath: "/sign-in" });

// Next reads this without running it. Its own prefetches are filtered here: a proxy is not shown their headers.
export const config = {
  matcher: [
    {
      source: "/(streams|operations|sessions)/:path*",
      missing: [
        { type: "header", key: "next-router-prefetch" },
        { type: "header", key: "next-router-segment-prefetch" },
      ],
    },
  ],
};
