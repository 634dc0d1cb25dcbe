import { connection } from "next/server";
import { SessionTimeline } from "./components/session-timeline.tsx";
import { SiteHeader } from "./components/site-header.tsx";
import { demoWalletAllowed } from "./lib/auth.ts";
import { SignInPanel } from "./sign-in/sign-in-panel.tsx";

const PROMISES = [
  {
    title: "One signature",
    text: "Your wallet signs a challenge, once. After that nothing asks you to sign again just because time has passed.",
  },
  {
    title: "Renewed, not repeated",
    text: "Access is short-lived and renews itself in the background: in every tab, on poor networks, after sleep.",
  },
  {
    title: "Yours to end",
    text: "Every browser that is signed in is on your list. End one, and its access stops within a second.",
  },
];

export default async function HomePage() {
  // Decided by the server that runs, not by the one that builds.
  await connection();
  return (
    <>
      <SiteHeader />
      <main id="main" className="mx-auto w-full max-w-6xl flex-1 px-5 pb-20 sm:px-8">
        <div className="grid items-start gap-10 pt-6 sm:pt-12 lg:grid-cols-[1.15fr_1fr] lg:gap-16">
          <div>
            <h1 className="text-4xl leading-[1.05] font-semibold tracking-tighter sm:text-6xl">
              Sign once. Stay signed in.
            </h1>
            <p className="mt-6 max-w-xl text-lg leading-relaxed text-muted">
              StreamPay is made for payment streams on Stellar. A stream runs for hours or months, but a
              wallet session used to end after fifteen minutes. This one renews itself in the background and
              ends when you say so.
            </p>
            <SessionTimeline />
          </div>
          <SignInPanel demoWallet={demoWalletAllowed()} headingLevel="h2" />
        </div>
        <section aria-labelledby="promises" className="mt-16 border-t border-line pt-10 sm:mt-24">
          <h2 id="promises" className="sr-only">
            What you can rely on
          </h2>
          <ul className="grid gap-8 sm:grid-cols-3 sm:gap-10">
            {PROMISES.map(({ title, text }) => (
              <li key={title}>
                <h3 className="font-semibold tracking-tight">{title}</h3>
                <p className="mt-2 text-sm leading-relaxed text-muted">{text}</p>
              </li>
            ))}
          </ul>
        </section>
      </main>
    </>
  );
}
