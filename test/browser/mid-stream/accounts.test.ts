// The account is switched, in the wallet and in the browser: no tab ever shows one account what belongs to the other.
import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import { bearer } from "../../support/session-client.ts";
import { isAlive } from "../browser.ts";
import { freeze } from "../freeze.ts";
import { type FreighterWallet, installFreighter } from "../freighter-wallet.ts";
import { eventually, midStream, type Visitor } from "./mid-stream.ts";

const here = midStream();

/** Somebody with a stream that nobody else here may see. */
interface Person {
  readonly key: WalletKeypair;
  readonly title: string;
  /** As the header of the pages says who is signed in. */
  readonly address: string;
}

async function person(title: string): Promise<Person> {
  const key = createWalletKeypair();
  const { accessToken } = await here.app.client.signIn(key);
  const stream = await here.app.client.send("POST", "/api/streams", {
    headers: bearer(accessToken),
    body: { recipient: createWalletKeypair().account, deposit: "100", duration_seconds: 3_600, title },
  });
  expect(stream.status).toBe(201);
  return { key, title, address: `${key.account.slice(0, 6)}…${key.account.slice(-6)}` };
}

/** Whose things a page shows at one moment, by their numbers. */
type Sight = readonly number[];

/** From now on, each page of the context tells whenever it shows something of other people than before, of these. */
async function rememberWhose(context: BrowserContext, people: readonly Person[]): Promise<Sight[]> {
  const sights: Sight[] = [];
  await context.exposeFunction("tellWhose", (sight: Sight) => void sights.push(sight));
  await context.addInitScript(
    (marks) => {
      let before = "";
      const look = () => {
        // There the wallet's account may stand beside that of the session: no data, and rightly so.
        if (location.pathname === "/sign-in") return;
        // biome-ignore lint/performance/useDomNodeTextContent: what is in the document and hidden was never shown
        const text = document.body?.innerText ?? "";
        const of = marks.flatMap((own, n) => (own.some((mark) => text.includes(mark)) ? [n] : []));
        if (of.join() === before) return;
        before = of.join();
        Reflect.get(window, "tellWhose")(of);
      };
      new MutationObserver(look).observe(document, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
        attributeFilter: ["class", "hidden", "open", "style"],
      });
    },
    people.map(({ title, address }) => [title, address]),
  );
  return sights;
}

/** A browser with Freighter in it, and what its pages show of two people. */
async function withTwoPeople() {
  const people = [await person("Rent for the studio"), await person("A stipend for Ada")] as const;
  const visitor = await here.visitor();
  const wallet = await installFreighter(visitor.context);
  return { ...visitor, wallet, people, sights: await rememberWhose(visitor.context, people) };
}

async function openSignIn({ context }: Visitor): Promise<Page> {
  const page = await context.newPage();
  await page.goto("/sign-in");
  await isAlive(page);
  return page;
}

async function signInWith(wallet: FreighterWallet, { key }: Person, page: Page): Promise<void> {
  wallet.key = key;
  await page.getByRole("button", { name: "Continue with Freighter" }).click();
}

async function sees(page: Page, { title, address }: Person): Promise<void> {
  await page.getByRole("link", { name: title }).waitFor();
  await page.getByText(address).first().waitFor();
}

function expectOneAtATime(sights: readonly Sight[]): void {
  expect(new Set(sights.flat())).toEqual(new Set([0, 1]));
  expect(sights.filter((of) => of.length > 1)).toEqual([]);
}

test("who switches the account signs in as the other one: each tab follows, and none ever shows both", async () => {
  const { people, wallet, sights, ...visitor } = await withTwoPeople();
  const [ada, bea] = people;
  const first = await openSignIn(visitor);
  await signInWith(wallet, ada, first);
  await sees(first, ada);
  const second = await visitor.context.newPage();
  await second.goto("/streams");
  await sees(second, ada);

  // The wallet alone changes nothing here, and neither does a signature that is declined.
  const third = await openSignIn(visitor);
  wallet.signs = false;
  await signInWith(wallet, bea, third);
  await third.getByText("You declined the signature").waitFor();
  await first.reload();
  await sees(first, ada);
  expect(new Set(sights.flat())).toEqual(new Set([0]));

  wallet.signs = true;
  await signInWith(wallet, bea, third);
  for (const page of [third, second, first]) await sees(page, bea);
  for (const page of [third, second, first]) expect(await page.getByText(ada.title).count()).toBe(0);
  expectOneAtATime(sights);
});

test("a tab that was frozen through the switch shows the other account's streams at no moment as its own", async () => {
  const { people, wallet, sights, ...visitor } = await withTwoPeople();
  const [ada, bea] = people;
  const asleep = await openSignIn(visitor);
  await signInWith(wallet, ada, asleep);
  await sees(asleep, ada);
  const thaw = await freeze(asleep);

  const page = await openSignIn(visitor);
  await signInWith(wallet, bea, page);
  await sees(page, bea);
  await thaw();
  await sees(asleep, bea);
  await eventually(async () => expect(await asleep.getByText(ada.title).count()).toBe(0));
  expectOneAtATime(sights);
});
