import type { Metadata } from "next";
import { SignedIn } from "../../components/signed-in.tsx";
import { SiteHeader } from "../../components/site-header.tsx";
import { pageGuard } from "../../lib/auth.ts";
import { StreamView } from "./stream-view.tsx";

export const metadata: Metadata = { title: "Stream" };

export default async function StreamPage({ params }: PageProps<"/streams/[id]">) {
  const { id } = await params;
  await pageGuard.require(`/streams/${encodeURIComponent(id)}`);
  return (
    <>
      <SiteHeader />
      <main id="main" className="mx-auto w-full max-w-6xl flex-1 px-5 pt-4 pb-24 sm:px-8 sm:pt-8">
        <SignedIn title="Stream">
          <StreamView id={id} />
        </SignedIn>
      </main>
    </>
  );
}
