import { sessionProxy } from "wallet-session/next";

export const proxy = sessionProxy({ signInPath: "/sign-in" });
export const config = { matcher: "/account/:path*" };
