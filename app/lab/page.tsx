import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { connection } from "next/server";
import { Page } from "../components/site-header.tsx";
import { demoWalletAllowed, sessions } from "../lib/auth.ts";
import { isSupervised } from "../lib/supervisor.ts";
import { LabView } from "./lab-view.tsx";

export async function generateMetadata(): Promise<Metadata> {
  await requireLab();
  return { title: "The lab" };
}

export default async function LabPage() {
  await requireLab();
  return (
    <Page className="max-w-6xl pt-4 pb-24 sm:pt-10">
      <LabView
        settings={{
          accessTokenSeconds: sessions.config.accessTtlMs / 1_000,
          cookieName: sessions.config.cookieName,
          leewaySeconds: sessions.config.refreshLeewayMs / 1_000,
          isSupervised: isSupervised(),
        }}
      />
    </Page>
  );
}

/** In production this page does not exist. Decided at run time, not at build time. */
async function requireLab(): Promise<void> {
  await connection();
  if (!demoWalletAllowed()) notFound();
}
