import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { connection } from "next/server";
import type { ReactNode } from "react";
import { type Account, AppSession } from "./components/account.tsx";
import { ToastProvider } from "./components/toast.tsx";
import { pageGuard, sessions } from "./lib/auth.ts";
import { isoTime } from "./lib/http/iso-time.ts";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "StreamPay – payment streams on Stellar", template: "%s – StreamPay" },
  description: "Payment streams on Stellar, with a wallet session that renews itself in the background.",
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f4f6f3" },
    { media: "(prefers-color-scheme: dark)", color: "#0a1311" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Read at run time, not at build time: the settings belong to the running server.
  await connection();
  return (
    <html lang="en" className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <body className="flex min-h-dvh flex-col font-sans">
        <a
          href="#main"
          className="sr-only focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-20 focus:rounded-full focus:bg-ink focus:px-5 focus:py-3 focus:text-paper"
        >
          Skip to the content
        </a>
        <AppSession
          cookieName={sessions.config.cookieName}
          leewaySeconds={sessions.config.refreshLeewayMs / 1_000}
          initial={await firstAccount()}
        >
          <ToastProvider>{children}</ToastProvider>
        </AppSession>
      </body>
    </html>
  );
}

/** Who is signed in, so that the first render is theirs. Null without a good access cookie, and where that is unknown. */
async function firstAccount(): Promise<Account | null> {
  try {
    const guarded = await pageGuard.session();
    if (guarded === null) return null;
    const { actorId, id, createdAt, expiresAt } = await sessions.engine.getSession(guarded);
    return { actorId, sessionId: id, createdAt: isoTime(createdAt), expiresAt: isoTime(expiresAt) };
  } catch {
    // The page asks by itself.
    return null;
  }
}
