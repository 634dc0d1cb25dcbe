// A stolen token that is used: the page it was stolen from stops and says why, and the other devices hear which it was.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../support/cookies.ts";
import { jarWith } from "../support/session-client.ts";
import { browserUnderTest, jarOf, lookAgain, PATIENTLY, sessionOf, signIn } from "./browser.ts";

const app = appUnderTest(() => ({ REFRESH_LEEWAY: "1s" }));
const browser = browserUnderTest(app);

test("a spent token used elsewhere ends the session on its page at once, and names the device on the others", async () => {
  const context = await browser.open();
  const laptop = await signIn(context);
  const phone = await signIn(await browser.open({ walletOf: laptop }));
  const stolen = (await jarOf(context)).get(REFRESH_COOKIE)?.value ?? "";
  await context.clearCookies({ name: ACCESS_COOKIE });
  await lookAgain(laptop);
  await expect.poll(() => sessionOf(laptop), PATIENTLY).toMatchObject({ generation: 2 });

  // Inside the leeway it is a retry and harmless; after that it is what it is.
  const use = async () => {
    const headers = { Origin: app.server.publicUrl, Cookie: jarWith(stolen) };
    return (await app.client.send("POST", "/api/auth/refresh", { headers })).status;
  };
  await expect.poll(use, PATIENTLY).toBe(401);
  await laptop
    .getByRole("heading", { level: 1, name: "This session was ended to protect you." })
    .waitFor({ timeout: 5_000 });
  await laptop.reload();
  await laptop.waitForURL("**/sign-in?next=%2Fsessions");
  await laptop.getByText("This session was ended to protect you.", { exact: true }).waitFor();

  await lookAgain(phone);
  const alarm = phone.getByText(/^The session on Chrom.* was ended to protect you\.$/);
  await alarm.waitFor();
  await phone.getByRole("button", { name: /^Dismiss the alarm about Chrom/ }).click();
  await alarm.waitFor({ state: "detached" });
  await phone.reload();
  await phone.getByText("This browser", { exact: true }).waitFor();
  expect(await alarm.count()).toBe(0);
});
