"use client";

import { Button } from "./components/button.tsx";
import { Page } from "./components/site-header.tsx";

/** Shown in place of a page that failed to render. The session is not affected. */
export default function ErrorPage({ retry }: { error: unknown; retry: () => void }) {
  return (
    <Page className="flex max-w-xl flex-col justify-center gap-4 pb-24">
      <h1 className="text-3xl font-semibold tracking-tight">This page could not be shown.</h1>
      <p className="text-muted">
        Something went wrong while drawing it. You are still signed in if you were before.
      </p>
      <p className="mt-2">
        <Button look="primary" onClick={retry}>
          Try again
        </Button>
      </p>
    </Page>
  );
}
