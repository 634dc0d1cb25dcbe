// Tabs that vanish or freeze at the worst moment: one session, and nobody is signed out.
import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { REFRESH_COOKIE, RETRY_COOKIE } from "../../support/cookies.ts";
import { storedSession } from "../../support/database.ts";
import { jarOf, letAccessEnd, seesSession, signIn } from "../browser.ts";
import { freeze } from "../freeze.ts";
import { eventually, isRefresh, midStream, noRenewalUnderWay, renewNow, sessionIdOf } from "./mid-stream.ts";
import { answerLost } from "./network.ts";

const here = midStream();

/** The lock of docs/clients.md, by its name in the browser. */
const LOCK = "wallet-session /api/auth";

async function anotherTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto("/sessions");
  return tab;
}

test("a tab closed in the middle of a renewal leaves the key to ask for it again: the next page is signed in", async () => {
  const { context, line } = await here.visitor();
  const page = await signIn(context);
  const id = await sessionIdOf(page);
  await noRenewalUnderWay({ page, context, line });
  const recover = line.meddle(isRefresh, answerLost);
  const jarBefore = await jarOf(context);
  const { generation } = storedSession(here.app.server, id);
  await renewNow(page);
  await eventually(() => expect(storedSession(here.app.server, id).generation).toBe(generation + 1));
  await page.close();

  // The server has rotated, and the jar knows nothing of it.
  const jar = await jarOf(context);
  expect(jar.get(REFRESH_COOKIE)?.value).toBe(jarBefore.get(REFRESH_COOKIE)?.value);
  expect(jar.has(RETRY_COOKIE)).toBe(true);
  await letAccessEnd(context);
  // Not before: what the closed page has sent may arrive after its end.
  recover();
  const next = await anotherTab(context);
  await seesSession(next);
  expect(await sessionIdOf(next)).toBe(id);
  expect((await jarOf(context)).get(REFRESH_COOKIE)?.value).not.toBe(jar.get(REFRESH_COOKIE)?.value);
  expect(storedSession(here.app.server, id).revokedReason).toBeNull();
});

test("a tab frozen while it holds the lock keeps the others from renewing only for a while", async () => {
  const { context, line } = await here.visitor();
  const frozen = await signIn(context);
  const other = await anotherTab(context);
  await seesSession(other);
  const id = await sessionIdOf(other);
  // As a renewal has it whose answer never comes to the tab. It has the lock before it freezes, and does not wait for it.
  await frozen.evaluate(
    (name) =>
      new Promise<void>((isHeld) => {
        void navigator.locks.request(name, () => {
          isHeld();
          return new Promise(() => {});
        });
      }),
    LOCK,
  );
  const thaw = await freeze(frozen);
  const renewals = () => line.seen.filter(isRefresh);
  const before = renewals().length;

  const { generation } = storedSession(here.app.server, id);
  await renewNow(other);
  await eventually(async () => {
    const sent = renewals().length;
    expect(await waitingFor(other, LOCK)).toBeGreaterThan(0);
    expect(sent).toBe(before);
  });
  // The other one gives up waiting while the first is as frozen as before.
  await eventually(() => expect(renewals().length).toBeGreaterThan(before));
  await eventually(() => expect(storedSession(here.app.server, id).generation).toBeGreaterThan(generation));

  await thaw();
  await Promise.all([frozen, other].map(seesSession));
  expect(storedSession(here.app.server, id).revokedReason).toBeNull();
});

/** How many of all tabs wait for the lock. */
function waitingFor(page: Page, lock: string): Promise<number> {
  return page.evaluate(async (name) => {
    const { pending = [] } = await navigator.locks.query();
    return pending.filter((request) => request.name === name).length;
  }, lock);
}
