import type { Metadata } from "next";
import { AccountPage } from "../../components/account-page.tsx";
import { pageGuard } from "../../lib/auth.ts";
import { StreamView } from "./stream-view.tsx";

export const metadata: Metadata = { title: "Stream" };

export default async function StreamPage({ params }: PageProps<"/streams/[id]">) {
  const { id } = await params;
  await pageGuard.require(`/streams/${encodeURIComponent(id)}`);
  return (
    <AccountPage title="Stream">
      <StreamView id={id} />
    </AccountPage>
  );
}
