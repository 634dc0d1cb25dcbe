import { connection } from "next/server";
import { OffChainNote } from "./components/card.tsx";
import { Page } from "./components/site-header.tsx";
import { demoWalletAllowed } from "./lib/auth.ts";
import { SignInPanel } from "./sign-in/sign-in-panel.tsx";

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
    <Page className="max-w-6xl pb-20">
      <div className="grid items-start gap-10 pt-6 sm:pt-12 lg:grid-cols-[1.15fr_1fr] lg:gap-16">
        <div>
          <h1 className="text-4xl leading-[1.05] font-semibold tracking-tighter sm:text-6xl">
            Sign once. Stay signed in.
          </h1>
          <p className="mt-6 max-w-xl text-lg leading-relaxed text-pretty text-muted">
            StreamPay pays people by the second. A stream runs for hours or months, but a wallet session used
            to end after fifteen minutes. This one renews itself in the background and ends when you say so.
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
    </Page>
  );
}

const TOKENS = [0, 1, 2, 3, 4];
const TOKEN_WIDTH = 128;
/** Less than the width: each one begins before the last has ended. */
const STEP = 106;

/** How a session outlives its access tokens. */
function SessionTimeline() {
  return (
    <figure className="mt-12 max-w-xl text-xs text-muted">
      <p aria-hidden="true">Access tokens, minutes each</p>
      <svg
        viewBox="0 0 560 112"
        role="img"
        aria-label="Short-lived access tokens, each renewed before it ends, above one session that runs on without a break."
        className="mt-2 h-auto w-full"
      >
        {TOKENS.map((index) => (
          <rect
            key={index}
            x={1 + index * STEP}
            y={index % 2 === 0 ? 2 : 32}
            width={TOKEN_WIDTH}
            height="22"
            rx="11"
            className={index === TOKENS.length - 1 ? "fill-accent stroke-accent" : "fill-wash stroke-accent"}
            strokeWidth="1.5"
          />
        ))}
        <path d="M12 92H548" className="stroke-wash" strokeWidth="16" strokeLinecap="round" />
        <path d="M30 92H548" className="stream-flow stroke-accent" strokeWidth="4" strokeLinecap="round" />
        <circle cx="12" cy="92" r="8" className="fill-accent" />
      </svg>
      <figcaption className="mt-2 flex justify-between">
        <span>Your wallet signs</span>
        <span>Your session, still the same one</span>
      </figcaption>
    </figure>
  );
}
