import type { Metadata } from "next";
import { AccountPage } from "../components/account-page.tsx";
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
    <AccountPage title="Your streams">
      <StreamsView filter={filter} />
    </AccountPage>
  );
}
