// A withdrawal above the limit: the recipient's wallet signs it.
import { expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { browserUnderTest, button, PATIENTLY, sessionOf, signInToStreams } from "./browser.ts";
import { history } from "./stream-page.ts";

const app = appUnderTest(() => ({ PAYOUT_SIGNED_ABOVE: "0.5" }));
const browser = browserUnderTest(app);

test("a large withdrawal is signed by the wallet, and not done without", async () => {
  const [sender, recipient] = await Promise.all(
    [1, 2].map(async () => signInToStreams(await browser.open({ mayComplainOf: /401/ }))),
  );
  if (sender === undefined || recipient === undefined) throw new Error("no page");
  const { actor_id: to } = await sessionOf(recipient);
  await button(sender, "Create your first stream").click();
  const form = sender.getByRole("dialog", { name: "New stream" });
  await form.getByLabel("Recipient").fill(to);
  await form.getByLabel("Amount in all").fill("3600");
  await form.getByLabel("Title").fill("Rent");
  await form.getByRole("button", { name: "Create and start" }).click();
  await recipient.getByRole("link", { name: "Rent" }).click();
  await button(recipient, "Withdraw").waitFor(PATIENTLY);

  const path = new URL(recipient.url()).pathname;
  const bare = await recipient.evaluate(async (stream) => {
    const response = await fetch(`/api${stream}/withdraw`, { method: "POST" });
    return { status: response.status, body: await response.json() };
  }, path);
  expect(bare).toMatchObject({
    status: 401,
    body: { code: "insufficient_user_authentication", action: expect.stringMatching(/^[\w-]{43}$/) },
  });

  const signed = recipient.waitForRequest((request) => request.headers()["step-up"] !== undefined);
  await button(recipient, "Withdraw").click();
  await history(recipient, "Withdrawn by you").waitFor();
  expect(new URL((await signed).url()).pathname).toBe(`/api${path}/withdraw`);
  await history(sender, "Withdrawn by the recipient").waitFor();
});
