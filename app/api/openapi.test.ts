import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, onTestFinished, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { contractOf } from "../../packages/wallet-session/test/contract.ts";
import { exampleRequests } from "../../packages/wallet-session/test/example-requests.ts";
import { streamPay } from "../lib/openapi.ts";
import { stopOperations } from "../lib/operations/running.ts";
import { startApp } from "../lib/start.ts";
import { bearer, get, ORIGIN, post, signedIn } from "./auth/routes.fixture.ts";
import { route } from "./documented-route.fixture.ts";

const contract = contractOf({ part: streamPay });

test("the document has the app's endpoints beside those of the sessions, and is OpenAPI 3.1", async () => {
  const served = await (await route(get("/api/openapi.json"))).json();
  const { servers, components, ...rest } = contract.document;
  expect(served).toMatchObject({ ...rest, components: { schemas: components.schemas } });
  expect(served.servers).toEqual([{ url: ORIGIN }]);
  expect(await new Validator().validate(served)).toEqual({ valid: true });
});

/** What has to be done to the stream before. */
const BEFORE: Readonly<Record<string, string>> = { pause: "start", settle: "start", withdraw: "start" };

test.each(
  exampleRequests(contract).filter(({ name }) =>
    Object.keys(streamPay.paths).includes(name.split(" ")[1] ?? ""),
  ),
)("the example of $name is no error", async ({ name, request }) => {
  await startApp((why) => {
    throw new Error(why);
  });
  onTestFinished(stopOperations);
  const [, template = ""] = name.split(" ");
  const [sender, recipient] = [createWalletKeypair(), createWalletKeypair()];
  const owner = bearer((await signedIn(sender)).access_token);
  const wish = { recipient: recipient.account, deposit: "922337203685", duration_seconds: 60 };
  const stream = await (await route(post("/api/streams", wish, owner))).json();
  const command = template.split("/")[4] ?? "";
  if (command in BEFORE) await route(get(`/api/streams/${stream.id}/${BEFORE[command]}`, owner, "POST"));

  const ofOperation = template.startsWith("/api/operations/");
  const settling = { type: "settle_streams", stream_ids: [stream.id] };
  const operation = ofOperation ? await (await route(post("/api/operations", settling, owner))).json() : null;
  const live = { id: operation?.id ?? stream.id, stream_ids: [stream.id] };
  if (command === "withdraw") {
    const earned = async () => (await (await route(get(`/api/streams/${stream.id}`, owner))).json()).accrued;
    await expect.poll(earned).not.toBe("0.0000000");
  }
  const who = command === "withdraw" ? bearer((await signedIn(recipient)).access_token) : owner;
  const answer = await route(request(ORIGIN, live, who));
  // Only an operation whose session has ended can be resumed.
  expect(answer.status).toBeLessThanOrEqual(command === "resume" ? 409 : 202);
  await answer.body?.cancel();
});
