// Signing in with Freighter: its own library in the page, and the extension's end of its protocol played by the tests.
import type { BrowserContext, Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { appUnderTest } from "../support/app-under-test.ts";
import { RETRY_COOKIE } from "../support/cookies.ts";
import { browserUnderTest, isAlive, jarOf, seesSession } from "./browser.ts";
import { type FreighterWallet, installFreighter } from "./freighter-wallet.ts";

const app = appUnderTest();
const browser = browserUnderTest(app);

interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly wallet: FreighterWallet;
}

async function visit(): Promise<Visit> {
  const context = await browser.open();
  const wallet = await installFreighter(context);
  const page = await context.newPage();
  await page.goto("/sign-in?next=/sessions");
  await isAlive(page);
  return { context, page, wallet };
}

const signIn = (page: Page) => page.getByRole("button", { name: "Continue with Freighter" }).click();

/** The page says why, offers another try, and nobody is signed in. */
async function seesRefusal({ page, context }: Visit, text: string): Promise<void> {
  await page.getByText(text, { exact: true }).waitFor();
  expect(
    await page.getByRole("button", { name: "Continue with Freighter" }).getAttribute("aria-disabled"),
  ).toBeNull();
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  // A retry key at most: it shows that this browser keeps cookies.
  const jar = [...(await jarOf(context)).keys()];
  expect(jar.filter((name) => name !== RETRY_COOKIE)).toEqual([]);
}

test("a signature that the person approves signs in as their account", async () => {
  const { page, wallet } = await visit();
  await signIn(page);
  await seesSession(page);
  await page.getByText(wallet.key?.account ?? "no account", { exact: true }).waitFor();
  expect(wallet.asked.filter((type) => type === "SUBMIT_TRANSACTION")).toHaveLength(1);
});

test.each(["/sign-in", "/"])(
  "%s shows in sight why a sign-in has failed, on a small screen too",
  async (path) => {
    const { page, wallet } = await visit();
    wallet.sharesAccount = false;
    for (const size of [
      { width: 390, height: 664 },
      { width: 1_280, height: 720 },
    ]) {
      await page.setViewportSize(size);
      await page.goto(path);
      await isAlive(page);
      await page.getByRole("button", { name: "Sign in with the demo wallet" }).waitFor();
      await signIn(page);
      const why = page.getByText("You did not share your account, so nothing was signed.");
      await why.waitFor();
      const inSight = async () => {
        const box = await why.boundingBox();
        return box !== null && box.y >= 0 && box.y + box.height <= size.height;
      };
      await expect.poll(inSight, { message: `${size.width} by ${size.height}` }).toBe(true);
    }
  },
);

test("a site that may see the account shows it before signing in, and follows a switch", async () => {
  const { page, wallet } = await visit();
  wallet.allowed = true;
  await page.reload();
  const shown = (account = "") =>
    page.getByText(`${account.slice(0, 6)}…${account.slice(-6)}`, { exact: true });
  await shown(wallet.key?.account).waitFor();
  wallet.key = createWalletKeypair();
  await shown(wallet.key.account).waitFor();
});

describe("nobody is signed in, and the page says why, when", () => {
  const cases: [name: string, meet: (wallet: FreighterWallet) => void, text: string][] = [
    [
      "the person does not share the account",
      (wallet) => {
        wallet.sharesAccount = false;
      },
      "You did not share your account, so nothing was signed.",
    ],
    [
      "the wallet is locked",
      (wallet) => {
        wallet.key = null;
      },
      "Freighter has no account to share. Unlock it and try again.",
    ],
    [
      "the wallet is on another network",
      (wallet) => {
        wallet.networkPassphrase = "Public Global Stellar Network ; September 2015";
      },
      "Freighter is on the public network, and StreamPay is on Testnet. Switch the network in Freighter and try again.",
    ],
    [
      "the account is switched between address and signature",
      (wallet) => {
        wallet.before.SUBMIT_TRANSACTION = () => {
          wallet.key = createWalletKeypair();
        };
      },
      "The account in Freighter changed while it was signing. Try again with the one you want.",
    ],
    [
      "it is switched and an older wallet does not say so",
      (wallet) => {
        wallet.namesSigner = false;
        wallet.before.SUBMIT_TRANSACTION = () => {
          wallet.key = createWalletKeypair();
        };
      },
      "The signature is not enough to speak for this account. Sign with its own key.",
    ],
  ];
  test.each(cases)("%s", async (_, meet, text) => {
    const here = await visit();
    meet(here.wallet);
    await signIn(here.page);
    await seesRefusal(here, text);
  });
});

test("a person who declines the signature is not signed in, and can try again", async () => {
  const here = await visit();
  here.wallet.signs = false;
  await signIn(here.page);
  await seesRefusal(here, "You declined the signature, so you are not signed in.");
  here.wallet.signs = true;
  await signIn(here.page);
  await seesSession(here.page);
});
