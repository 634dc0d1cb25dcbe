// Many tabs of one browser: one session, and nobody is signed out.
import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { jarOf, letAccessEnd, seesSession, signIn } from "../browser/browser.ts";
import { ACCESS_TTL_MS, midStream, sessionIdOf } from "../browser/mid-stream/mid-stream.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../support/cookies.ts";
import { storedSession } from "../support/database.ts";

const here = midStream();

const TABS = 10;
/** A page renews no sooner than after this share of the access token's life. */
const EARLIEST_RENEWAL = 0.6;

async function anotherTab(context: BrowserContext): Promise<Page> {
  const tab = await context.newPage();
  await tab.goto("/sessions");
  return tab;
}

test("ten tabs restored at once, with an access token that has ended, all show one and the same session", async () => {
  const { context } = await here.visitor();
  const first = await signIn(context);
  const id = await sessionIdOf(first);
  await first.close();
  await letAccessEnd(context);
  const { generation } = storedSession(here.app.server, id);

  const begun = performance.now();
  const tabs = await Promise.all(Array.from({ length: TABS }, () => anotherTab(context)));
  await Promise.all(tabs.map(seesSession));
  expect(new Set(await Promise.all(tabs.map(sessionIdOf)))).toEqual(new Set([id]));

  // One rotation for all of them, or two at the most; and what was due since, where the machine took that long.
  const stored = storedSession(here.app.server, id);
  const dueSince = Math.floor((performance.now() - begun) / (EARLIEST_RENEWAL * ACCESS_TTL_MS));
  expect(stored.revokedReason).toBeNull();
  expect(stored.generation - generation).toBeGreaterThanOrEqual(1);
  expect(stored.generation - generation).toBeLessThanOrEqual(2 + dueSince);
  expect([...(await jarOf(context)).keys()]).toEqual(expect.arrayContaining([ACCESS_COOKIE, REFRESH_COOKIE]));
});
