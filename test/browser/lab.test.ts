// The lab: each button does what it says, against a real server. What it did is read from its log.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest } from "./browser.ts";
import { openLab, show } from "./lab-page.ts";

const app = appUnderTest(() => ({ ACCESS_TOKEN_TTL: "12s", REFRESH_LEEWAY: "3s" }));
const browser = browserUnderTest(app);

test("lost answer: the retry brings the same successor, and the generation rises once", async () => {
  const page = await openLab(browser);
  const log = await show(page, "Lost answer");
  expect(log).toContain("POST /api/auth/refresh → no answer");
  expect(log).toContain("its row is at generation 2, and the client still holds 1");
  expect(log).toContain("the very same refresh token 2 that was lost, byte for byte");
  expect(log).toContain("The generation is 2. Two requests, and it rose by 1.");
});

test("stolen, but bound: the copy opens nothing and ends nothing, and its owner goes on and is told", async () => {
  const page = await openLab(browser);
  const log = await show(page, "Stolen, but bound");
  expect(log).toMatch(/Thief POST \/api\/auth\/refresh → 401 proof_missing/);
  expect(log).toMatch(/Thief GET \/api\/auth\/session → 401 \w+/);
  expect(log).toMatch(/Owner POST \/api\/auth\/refresh → 200/);
  expect(log).toContain("Renewed, with a proof of the key: generation 2.");
  expect(log).toMatch(/Is told in the list of sessions: a copy was tried at \d\d:\d\d:\d\d\./);
  await page.getByText("The client holds nothing.").waitFor({ state: "detached" });
});

test("stolen token: the copy ends the session, for both, and the event stream says why", async () => {
  const page = await openLab(browser);
  const log = await show(page, "Stolen token");
  expect(log).toMatch(/Thief POST \/api\/auth\/refresh → 401 refresh_token_reused/);
  expect(log).toContain("session.ended, refresh_token_reused");
  expect(log).toMatch(/Client POST \/api\/auth\/refresh → 401 refresh_token_revoked/);
  expect(log).toMatch(/Client GET \/api\/auth\/session → 401 session_revoked/);
  expect(log).toMatch(/Thief GET \/api\/auth\/session → 401 session_revoked/);
  await page.getByText("The client holds nothing.").waitFor();
});
