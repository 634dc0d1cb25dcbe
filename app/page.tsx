import { connection } from "next/server";
import { SessionTimeline } from "./components/session-timeline.tsx";
import { SiteHeader } from "./components/site-header.tsx";
import { demoWalletAllowed } from "./lib/auth.ts";
import { SignInPanel } from "./sign-in/sign-in-panel.tsx";
import { OffChainNote } from "./streams/off-chain-note.tsx";

const PROMISES = [
  {
    title: "Paid by the second",
    text: "A stream pays out of its deposit with every second, exact to the last digit. Pause it, settle it or cancel it: what was earned stays earned.",
  },
  {
    title: "One signature",
    text: "Your wallet signs a challenge, once. After that nothing asks you to sign again just because time has passed.",
  },
  {
    title: "Nothing stops mid-stream",
    text: "Access renews itself underneath: in every tab, on poor networks, after sleep. Settling a thousand streams goes on while you are away.",
  },
  {
    title: "Yours to end",
    text: "Every browser that is signed in is on your list. End one, and its access stops within a second, and with it all that it had started.",
  },
];

export default async function HomePage() {
  // Decided at run time, not at build time.
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
            <p className="mt-6 max-w-xl text-lg leading-relaxed text-pretty text-muted">
              StreamPay pays people by the second. A stream runs for hours or months, but a wallet session
              used to end after fifteen minutes. This one renews itself in the background and ends when you
              say so.
            </p>
            <SessionTimeline />
          </div>
          <SignInPanel demoWallet={demoWalletAllowed()} headingLevel="h2" next="/streams" />
        </div>
        <section aria-labelledby="promises" className="mt-16 border-t border-line pt-10 sm:mt-24">
          <h2 id="promises" className="sr-only">
            What you can rely on
          </h2>
          <ul className="grid gap-8 sm:grid-cols-2 sm:gap-10 lg:grid-cols-4">
            {PROMISES.map(({ title, text }) => (
              <li key={title}>
                <h3 className="font-semibold tracking-tight">{title}</h3>
                <p className="mt-2 text-sm leading-relaxed text-muted">{text}</p>
              </li>
            ))}
          </ul>
          <div className="mt-10 max-w-xl">
            <OffChainNote />
          </div>
        </section>
      </main>
    </>
  );
}
