import Link from "next/link";
import type { ReactNode } from "react";
import { Logo } from "./logo.tsx";

export function SiteHeader({ children }: { children?: ReactNode }) {
  return (
    <header className="mx-auto flex w-full max-w-6xl items-center justify-between gap-4 px-5 py-5 sm:px-8">
      <Link href="/" aria-label="StreamPay, home" className="rounded-lg">
        <Logo />
      </Link>
      {children}
    </header>
  );
}
