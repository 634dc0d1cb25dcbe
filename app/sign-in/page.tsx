import type { Metadata } from "next";
import { endReason } from "../components/last-session.ts";
import { Page } from "../components/site-header.tsx";
import { demoWalletAllowed } from "../lib/auth.ts";
import { pathAfterSignIn } from "./next-path.ts";
import { SignInPanel } from "./sign-in-panel.tsx";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignInPage({ searchParams }: PageProps<"/sign-in">) {
  const { next, reason } = await searchParams;
  const asked = Array.isArray(next) ? undefined : next;
  return (
    <Page className="max-w-lg pt-6 pb-24 sm:pt-14">
      <SignInPanel
        demoWallet={demoWalletAllowed()}
        headingLevel="h1"
        next={pathAfterSignIn(asked)}
        sentHere={asked !== undefined}
        endedFor={endReason(reason)}
      />
    </Page>
  );
}
