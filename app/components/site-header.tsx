"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { useSession } from "wallet-session/react";
import { useLoadedAccount } from "./account.tsx";
import { shortAddress } from "./address.tsx";
import { ConnectionNote } from "./connection-note.tsx";
import { Logo } from "./logo.tsx";

const PLACES = [
  { href: "/streams", name: "Streams", also: "/operations" },
  { href: "/sessions", name: "Sessions", also: null },
] as const;

/** The navigation, for people who are signed in or may prove to be. */
export function SiteHeader() {
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
