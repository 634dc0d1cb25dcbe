import type { Metadata } from "next";
import Link from "next/link";
import { buttonClass } from "./components/button.tsx";
import { Page } from "./components/site-header.tsx";

export const metadata: Metadata = { title: "No such page" };

export default function NotFound() {
  return (
    <Page className="flex max-w-xl flex-col justify-center gap-4 pb-24">
      <h1 className="text-3xl font-semibold tracking-tight">There is no page here.</h1>
      <p className="text-muted">The address may be mistyped, or the page has moved.</p>
      <p className="mt-2">
        <Link href="/" className={buttonClass("primary")}>
          Go to the start
        </Link>
      </p>
    </Page>
  );
}
