// Pages that nobody touches, on a server whose access tokens last 8 seconds.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE } from "../support/cookies.ts";
import { browserUnderTest, jarOf, sessionOf, signIn } from "./browser.ts";

const app = appUnderTest(() => ({ ACCESS_TOKEN_TTL: "8s", REFRESH_LEEWAY: "2s" }));
const browser = browserUnderTest(app);

const WITHIN = { timeout: 60_000, interval: 100 };

test("a page left alone renews its session, and another learns that its own was ended elsewhere", async () => {
  const laptop = await signIn(await browser.open());
  const accessBefore = (await jarOf(laptop.context())).get(ACCESS_COOKIE)?.value;
  const before = await sessionOf(laptop);
  const phone = await signIn(await browser.open({ walletOf: laptop }));
  await laptop.evaluate(
    async (id) => fetch(`/api/auth/sessions/${id}`, { method: "DELETE" }),
    (await sessionOf(phone)).session_id,
  );

  await phone.getByRole("heading", { name: "This session was ended." }).waitFor({ timeout: WITHIN.timeout });
  await expect
    .poll(async () => (await sessionOf(laptop)).generation, WITHIN)
    .toBeGreaterThan(before.generation);
  expect(await sessionOf(laptop)).toMatchObject({ session_id: before.session_id });
  // The page itself tells that it was renewed.
  await laptop
    .getByRole("definition")
    .filter({ hasText: /^(?:once|\d+ times)$/ })
    .waitFor();
  const accessAfter = (await jarOf(laptop.context())).get(ACCESS_COOKIE)?.value;
  expect(accessAfter).toMatch(/^eyJ/);
  expect(accessAfter).not.toBe(accessBefore);
});
