// Two services on two ports of one machine: to a browser's cookies they are one host.
import type { BrowserContext } from "playwright-core";
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  browserUnderTest,
  jarOf,
  lookAgain,
  PATIENTLY,
  seesSession,
  sessionOf,
  signInAt,
} from "./browser.ts";

/** No name given, as where somebody starts both by `npm start`. */
const BY_DEFAULT = { COOKIE_NAME: "" };
const one = appUnderTest(() => BY_DEFAULT);
const other = appUnderTest(() => BY_DEFAULT);
const browser = browserUnderTest(one);

/** The jar as it is when the access tokens of both have ended. */
async function letAccessEnd(context: BrowserContext): Promise<void> {
  await context.clearCookies({ name: /_access$/ });
}

test("both stay signed in, by script and by page load, and sign out apart", async () => {
  const context = await browser.open();
  const here = await signInAt(one, context);
  const there = await signInAt(other, context);
  const before = [await sessionOf(here), await sessionOf(there)];

  await letAccessEnd(context);
  for (const page of [here, there]) {
    await lookAgain(page);
    await expect.poll(() => sessionOf(page), PATIENTLY).toMatchObject({ generation: 2 });
  }
  await letAccessEnd(context);
  for (const page of [here, there]) {
    await page.goto(`${new URL(page.url()).origin}/sessions`);
    await seesSession(page);
  }
  const after = [await sessionOf(here), await sessionOf(there)];
  expect(after.map(({ session_id }) => session_id)).toEqual(before.map(({ session_id }) => session_id));
  expect(after.map(({ generation }) => generation)).toEqual([3, 3]);

  await there.getByRole("button", { name: "Sign out", exact: true }).click();
  await there.getByRole("heading", { name: "You are signed out." }).waitFor();
  await letAccessEnd(context);
  await here.goto(`${one.server.publicUrl}/sessions`);
  await seesSession(here);
  expect(await sessionOf(here)).toMatchObject({ session_id: before[0]?.session_id, generation: 4 });

  await here.getByRole("button", { name: "Sign out", exact: true }).click();
  await here.getByRole("heading", { name: "You are signed out." }).waitFor();
  expect(await jarOf(context)).toEqual(new Map());
});
