import type { Metadata } from "next";
import { SignedIn } from "../components/signed-in.tsx";
import { SiteHeader } from "../components/site-header.tsx";
import { pageGuard } from "../lib/auth.ts";
import { ROLES, STREAM_STATUSES } from "../lib/streams/stream.ts";
import { streamsPath } from "./streams-path.ts";
import { StreamsView } from "./streams-view.tsx";

export const metadata: Metadata = { title: "Your streams" };

export default async function StreamsPage({ searchParams }: PageProps<"/streams">) {
  const asked = await searchParams;
  const filter = {
    status: STREAM_STATUSES.find((status) => status === asked.status) ?? null,
    role: ROLES.find((role) => role === asked.role) ?? null,
  };
  await pageGuard.require(streamsPath(filter));
  return (
    <>
      <SiteHeader />
      <main id="main" className="mx-auto w-full max-w-6xl flex-1 px-5 pt-4 pb-24 sm:px-8 sm:pt-10">
        <SignedIn title="Your streams">
          <StreamsView filter={filter} />
        </SignedIn>
      </main>
    </>
  );
}
