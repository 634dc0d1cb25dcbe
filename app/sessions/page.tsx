import type { Metadata } from "next";
import { SignedIn } from "../components/signed-in.tsx";
import { SiteHeader } from "../components/site-header.tsx";
import { pageGuard } from "../lib/auth.ts";
import { SessionsView } from "./sessions-view.tsx";

export const metadata: Metadata = { title: "Your sessions" };

export default async function SessionsPage() {
  await pageGuard.require("/sessions");
  return (
    <>
      <SiteHeader />
      <main id="main" className="mx-auto w-full max-w-6xl flex-1 px-5 pt-4 pb-24 sm:px-8 sm:pt-10">
        <SignedIn title="Your sessions">
          <SessionsView />
        </SignedIn>
      </main>
    </>
  );
}
