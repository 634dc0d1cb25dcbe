import type { Metadata } from "next";
import { AccountPage } from "../components/account-page.tsx";
import { pageGuard } from "../lib/auth.ts";
import { SessionsView } from "./sessions-view.tsx";

export const metadata: Metadata = { title: "Your sessions" };

export default async function SessionsPage() {
  await pageGuard.require("/sessions");
  return (
    <AccountPage title="Your sessions">
      <SessionsView />
    </AccountPage>
  );
}
