import type { ReactNode } from "react";
import { SignedIn } from "./signed-in.tsx";
import { SiteHeader } from "./site-header.tsx";

interface AccountPageProps {
  /** Stands as the heading until the account is known. */
  title: string;
  narrow?: boolean;
  children: ReactNode;
}

/** The frame of a page that belongs to an account. Does NOT guard it: its page asks `pageGuard` first. */
export function AccountPage({ title, narrow = false, children }: AccountPageProps) {
  return (
    <>
      <SiteHeader />
      <main
        id="main"
        className={`mx-auto w-full flex-1 px-5 pt-4 pb-24 sm:px-8 sm:pt-10 ${narrow ? "max-w-3xl" : "max-w-6xl"}`}
      >
        <SignedIn title={title}>{children}</SignedIn>
      </main>
    </>
  );
}
