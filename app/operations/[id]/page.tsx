import type { Metadata } from "next";
import { SignedIn } from "../../components/signed-in.tsx";
import { SiteHeader } from "../../components/site-header.tsx";
import { pageGuard } from "../../lib/auth.ts";
import { OperationView } from "./operation-view.tsx";

export const metadata: Metadata = { title: "Operation" };

export default async function OperationPage({ params }: PageProps<"/operations/[id]">) {
  const { id } = await params;
  await pageGuard.require(`/operations/${encodeURIComponent(id)}`);
  return (
    <>
      <SiteHeader />
      <main id="main" className="mx-auto w-full max-w-3xl flex-1 px-5 pt-4 pb-24 sm:px-8 sm:pt-8">
        <SignedIn title="Operation">
          <OperationView id={id} />
        </SignedIn>
      </main>
    </>
  );
}
