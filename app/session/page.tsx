import type { Metadata } from "next";
import { SiteHeader } from "../components/site-header.tsx";
import { SessionView } from "./session-view.tsx";

export const metadata: Metadata = { title: "Your session" };

export default function SessionPage() {
  return (
    <>
      <SiteHeader />
      <main id="main" className="mx-auto w-full max-w-6xl flex-1 px-5 pt-4 pb-24 sm:px-8 sm:pt-10">
        <SessionView />
      </main>
    </>
  );
}
