import type { Metadata } from "next";
import { AccountPage } from "../../components/account-page.tsx";
import { pageGuard } from "../../lib/auth.ts";
import { OperationView } from "./operation-view.tsx";

export const metadata: Metadata = { title: "Operation" };

export default async function OperationPage({ params }: PageProps<"/operations/[id]">) {
  const { id } = await params;
  await pageGuard.require(`/operations/${encodeURIComponent(id)}`);
  return (
    <AccountPage title="Operation" narrow>
      <OperationView id={id} />
    </AccountPage>
  );
}
