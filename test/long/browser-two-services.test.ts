// Two services on two ports of one machine, in one jar, through many lifetimes of their tokens.
import { expect, test } from "vitest";
import {
  browserUnderTest,
  button,
  letAccessEnd,
  seesSession,
  sessionOf,
  signInAt,
} from "../browser/browser.ts";
import { appUnderTest } from "../support/app-under-test.ts";

/** No name given, as where somebody starts both by `npm start`. */
const SETTINGS = { COOKIE_NAME: "", ACCESS_TOKEN_TTL: "20s", REFRESH_LEEWAY: "3s" };
const one = appUnderTest(() => SETTINGS);
const other = appUnderTest(() => SETTINGS);
const browser = browserUnderTest(one);

/** Each comes 12 to 16 seconds after the one before: two minutes at least. */
const RENEWALS = 10;
const IN_TIME = { timeout: 240_000, interval: 1_000 };

test("both stay signed in for two minutes, and a sign-out of one leaves the other", async () => {
  const context = await browser.open();
  const pages = [await signInAt(one, context), await signInAt(other, context)] as const;
  const before = await Promise.all(pages.map(sessionOf));
  await expect
    .poll(
      async () => Math.min(...(await Promise.all(pages.map(sessionOf))).map(({ generation }) => generation)),
      IN_TIME,
    )
    .toBeGreaterThan(RENEWALS);
  const after = await Promise.all(pages.map(sessionOf));
  expect(after.map(({ session_id }) => session_id)).toEqual(before.map(({ session_id }) => session_id));

  const [here, there] = pages;
  await button(there, "Sign out").click();
  await there.getByRole("heading", { name: "You are signed out." }).waitFor();
  await letAccessEnd(context);
  await here.reload();
  await seesSession(here);
  expect((await sessionOf(here)).session_id).toBe(before[0]?.session_id);
});
