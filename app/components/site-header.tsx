"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";
import { useFeedStatus, useSession } from "wallet-session/react";
import { useLoadedAccount } from "./account.tsx";
import { shortAddress } from "./address.tsx";

const PLACES = [
  { href: "/streams", name: "Streams", also: "/operations" },
  { href: "/sessions", name: "Sessions", also: null },
] as const;

/** The navigation, for people who are signed in or may prove to be. */
function SiteHeader() {
  const path = usePathname();
  const { status } = useSession();
  const { account } = useLoadedAccount();
  const isIn = (place: string | null) => place !== null && (path === place || path.startsWith(`${place}/`));
  const belongsToAccount = PLACES.some(({ href, also }) => isIn(href) || isIn(also));
  const signedIn = status === "signed-in" || (status === "unknown" && account !== null);
  const withPlaces = signedIn || (status === "unknown" && belongsToAccount);

  return (
    <header className="mx-auto flex w-full max-w-6xl items-center gap-x-2 px-5 py-4 sm:gap-x-6 sm:px-8 print:hidden">
      <Link href="/" aria-label="StreamPay, home" className="inline-flex rounded-lg">
        <Logo nameHiddenOnPhone={withPlaces} />
      </Link>
      {withPlaces && (
        <nav aria-label="Pages" className="flex">
          {PLACES.map(({ href, name, also }) => (
            <Link
              key={href}
              href={href}
              prefetch={false}
              aria-current={isIn(href) || isIn(also) ? "page" : undefined}
              className="inline-flex min-h-11 items-center rounded-full px-4 text-sm font-medium text-muted hover:bg-sunken hover:text-ink aria-[current]:text-ink aria-[current]:underline aria-[current]:decoration-accent aria-[current]:decoration-2 aria-[current]:underline-offset-8"
            >
              {name}
            </Link>
          ))}
        </nav>
      )}
      <div className="ml-auto flex items-center gap-3">
        {signedIn && <ConnectionNote />}
        {signedIn && account !== null && (
          <p className="hidden font-mono text-xs text-muted sm:block" title={account.actorId}>
            <span className="sr-only">Signed in as </span>
            {shortAddress(account.actorId)}
          </p>
        )}
      </div>
    </header>
  );
}

/** Two streams side by side. */
function Logo({ nameHiddenOnPhone = false }: { nameHiddenOnPhone?: boolean }) {
  return (
    <span className="inline-flex items-center gap-2.5">
      <svg aria-hidden="true" viewBox="0 0 28 28" className="size-7 text-accent" fill="none">
        <rect width="28" height="28" rx="8" fill="currentColor" />
        <path
          d="M5 11.5c3.5-4 6-4 9 0s5.5 4 9 0"
          stroke="var(--color-on-accent)"
          strokeLinecap="round"
          strokeWidth="2.25"
        />
        <path
          d="M5 17.5c3.5-4 6-4 9 0s5.5 4 9 0"
          stroke="var(--color-on-accent)"
          strokeLinecap="round"
          strokeOpacity="0.6"
          strokeWidth="2.25"
        />
      </svg>
      <span
        className={`text-base font-semibold tracking-tight ${nameHiddenOnPhone ? "hidden sm:inline" : ""}`}
      >
        StreamPay
      </span>
    </span>
  );
}

/** Shorter gaps are not shown: a page load or a tunnel begins with one. */
const GRACE_MS = 2_500;

/** Says when the page may be out of date. Nothing is lost: it catches up by itself. */
function ConnectionNote() {
  const status = useFeedStatus();
  const away = status === "waiting" || status === "connecting";
  const [shown, setShown] = useState(false);

  useEffect(() => {
    if (!away) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [away]);

  return (
    <p role="status" className="text-xs text-muted empty:hidden">
      {shown && (
        <span className="inline-flex items-center gap-1.5">
          <span aria-hidden="true" className="size-2 rounded-full border border-notice bg-notice-wash" />
          Reconnecting…
        </span>
      )}
    </p>
  );
}

/** The frame of every page. `className` gives its width and what stands around it. */
export function Page({ className, children }: { className: string; children: ReactNode }) {
  return (
    <>
      <SiteHeader />
      <main id="main" className={`mx-auto w-full flex-1 px-5 sm:px-8 ${className}`}>
        {children}
      </main>
    </>
  );
}
