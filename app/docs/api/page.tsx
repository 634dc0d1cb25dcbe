import type { Metadata } from "next";
import { Page } from "../../components/site-header.tsx";
import { ApiReference } from "./api-reference.tsx";

export const metadata: Metadata = { title: "API" };

export default function ApiPage() {
  return (
    <Page className="max-w-6xl pb-20">
      <h1 className="sr-only">API</h1>
      <ApiReference />
    </Page>
  );
}
