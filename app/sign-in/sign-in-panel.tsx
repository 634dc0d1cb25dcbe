"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { useSession, useSessionClient } from "wallet-session/react";
import { shortAddress } from "../components/address.tsx";
import { Button, buttonClass } from "../components/button.tsx";
import { Card, Notice } from "../components/card.tsx";
import { type EndReason, explainEnd, hasSignedInBefore, lastEnd } from "../components/last-session.ts";
import { forgetDemoWallet, openDemoWallet } from "./demo-wallet.ts";
import {
  DEMO_WALLET,
  FREIGHTER,
  isInstalled,
  type SignInProgress,
  type SigningWallet,
  useSignIn,
  watchAccount,
} from "./use-sign-in.ts";

interface SignInPanelProps {
  /** Whether the server allows the wallet whose key lives in the page. */
  demoWallet: boolean;
  headingLevel: "h1" | "h2";
  /** The path to go on to. */
  next: string;
  /** Whether the person wanted to go there and was asked to sign in first. */
  sentHere?: boolean;
  /** Why the server has refused the session that there was. */
  endedFor?: EndReason | null;
}

/** The wallets to sign in with. */
export function SignInPanel(props: SignInPanelProps) {
  const { demoWallet, headingLevel, next, sentHere = false, endedFor = null } = props;
  const router = useRouter();
  const [progress, signIn] = useSignIn({
    onSignedIn: () => router.push(next),
    done: "Signed in. Opening your page…",
  });
  const { status } = useSession();
  const end = useEnd(sentHere, endedFor);
  const Heading = headingLevel;
  const outcome = useRef<HTMLDivElement>(null);

  useEffect(() => {
    // On a small screen it may begin below the edge.
    if (progress.step === "declined" || progress.step === "failed") {
      outcome.current?.scrollIntoView({ block: "nearest" });
    }
  }, [progress]);

  return (
    <Card labelledBy="sign-in" className="shadow-[0_24px_60px_-32px_rgb(10_60_50/0.35)]">
      <Heading id="sign-in" className="text-xl font-semibold tracking-tight">
        Sign in with your wallet
      </Heading>
      <p className="mt-1.5 text-sm leading-relaxed text-muted">
        {sentHere && status !== "signed-in" && "The page that you asked for belongs to an account. "}
        Your wallet signs a challenge. It is no payment, costs nothing and can never be executed.
      </p>
      <div aria-live="polite" className="mt-4 empty:hidden">
        {end !== null && <EndNotice reason={end} />}
      </div>
      <SignedInAlready next={next} sentHere={sentHere} />
      <div className="mt-5 grid gap-5">
        <FreighterOption progress={progress} signIn={signIn} />
        {/* Above the demo wallet, so that it is in sight where the button was pressed. */}
        <div ref={outcome} aria-live="polite" className="scroll-my-4 empty:hidden">
          {progress.step === "working" && <p className="text-sm text-muted">{progress.text}</p>}
          {progress.step === "declined" && <Notice look="calm">{progress.text}</Notice>}
          {progress.step === "failed" && <Notice look="danger">{progress.text}</Notice>}
        </div>
        {demoWallet && <DemoWalletOption progress={progress} signIn={signIn} />}
      </div>
    </Card>
  );
}

/**
 * Why there is no session any more, for those who wanted to see a page of one: by the server's word, or else by what this
 * browser remembers.
 */
function useEnd(sentHere: boolean, endedFor: EndReason | null): EndReason | null {
  const state = useSession();
  const [remembered, setRemembered] = useState<EndReason | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new state may be remembered
  useEffect(() => setRemembered(lastEnd()), [state]);
  return sentHere && state.status !== "signed-in" ? (endedFor ?? remembered) : null;
}

function EndNotice({ reason }: { reason: EndReason }) {
  const { title, text, alarming } = explainEnd(reason);
  return (
    <Notice look={alarming ? "danger" : "notice"}>
      <p className="font-medium">{title}</p>
      <p className="mt-1">{text}</p>
    </Notice>
  );
}

/** For those who come back: the way on with the session that this browser has. */
function SignedInAlready({ next, sentHere }: Pick<SignInPanelProps, "next" | "sentHere">) {
  const client = useSessionClient();
  const { status } = useSession();

  useEffect(() => {
    // Where the server cannot be asked, signing in is still offered.
    if (client.state.status === "unknown" && hasSignedInBefore()) client.check().catch(() => {});
  }, [client]);

  if (status !== "signed-in") return null;
  return (
    <div className="mt-4 flex flex-wrap items-center justify-between gap-3 rounded-xl bg-wash py-2 pr-2 pl-4 text-sm">
      <p>You are signed in in this browser.</p>
      <Link href={next} className={buttonClass("primary")}>
        {sentHere ? "Go on" : "Open your streams"}
      </Link>
    </div>
  );
}

interface WalletOptionProps {
  progress: SignInProgress;
  signIn: (wallet: SigningWallet) => Promise<void>;
}

function DemoWalletOption({ progress, signIn }: WalletOptionProps) {
  const [account, setAccount] = useState("");

  useEffect(() => {
    // A browser that cannot make the key says so when it is used.
    openDemoWallet(localStorage).then(
      ({ account }) => setAccount(account),
      () => {},
    );
  }, []);

  async function renew() {
    forgetDemoWallet(localStorage);
    setAccount((await openDemoWallet(localStorage)).account);
  }

  const busy = progress.step === "working";
  return (
    <section aria-labelledby="demo-wallet" className="rounded-xl border border-dashed border-edge p-4">
      <p id="demo-wallet" className="text-sm font-medium">
        Demo wallet
      </p>
      <p className="mt-1 text-sm leading-relaxed text-notice">
        Development only: the key lives in this page. Never use it for funds.
      </p>
      <p className="mt-2 min-h-5 font-mono text-sm text-muted">{account !== "" && shortAddress(account)}</p>
      <div className="mt-3 grid gap-1">
        <Button busy={busy && progress.wallet === "demo"} onClick={() => busy || signIn(DEMO_WALLET)}>
          Sign in with the demo wallet
        </Button>
        <Button look="quiet" onClick={() => busy || renew()}>
          Make another key
        </Button>
      </div>
    </section>
  );
}

function FreighterOption({ progress, signIn }: WalletOptionProps) {
  const [installed, setInstalled] = useState<boolean>();
  const [account, setAccount] = useState("");

  useEffect(() => {
    let gone = false;
    let stopWatching = () => {};
    (async () => {
      const found = await isInstalled();
      if (gone) return;
      setInstalled(found);
      if (!found) return;
      const stop = await watchAccount(setAccount);
      if (gone) stop();
      else stopWatching = stop;
    })();
    return () => {
      gone = true;
      stopWatching();
    };
  }, []);

  if (installed === false) {
    return (
      <div className="rounded-xl border border-line bg-sunken p-4 text-sm leading-relaxed">
        <p className="font-medium">Freighter is not installed in this browser.</p>
        <p className="mt-1 text-muted">
          It is a Stellar wallet that keeps your key and asks before it signs.{" "}
          <a
            href="https://www.freighter.app/"
            target="_blank"
            rel="noreferrer"
            className="font-medium text-accent underline underline-offset-4"
          >
            Get Freighter<span className="sr-only"> (opens a new tab)</span>
          </a>
        </p>
        {/* An extension gets no hold of a page that was loaded before it was there. */}
        <Button className="mt-3" onClick={() => location.reload()}>
          Reload when you have it
        </Button>
      </div>
    );
  }

  const busy = progress.step === "working";
  return (
    <div>
      <Button
        look="primary"
        className="w-full"
        busy={busy && progress.wallet === "freighter"}
        onClick={() => busy || signIn(FREIGHTER)}
      >
        Continue with Freighter
      </Button>
      {account !== "" && (
        <p className="mt-2 text-center text-sm text-muted">
          Active in Freighter: <span className="font-mono">{shortAddress(account)}</span>
        </p>
      )}
    </div>
  );
}
