import { expect, onTestFinished, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { stopOperations } from "../../lib/operations/running.ts";
import { startApp } from "../../lib/start.ts";
import { bearer, get, post, type SignedIn, signedIn } from "../auth/routes.fixture.ts";
import { route } from "../documented-route.fixture.ts";

const RECIPIENT = createWalletKeypair(new Uint8Array(32).fill(2)).account;
const PATH = "/api/operations";

async function makeStream({ access_token }: SignedIn): Promise<string> {
  const wish = { recipient: RECIPIENT, deposit: "100", duration_seconds: 100, start: true };
  const response = await route(post("/api/streams", wish, bearer(access_token)));
  return (await response.json()).id;
}

const settle = (who: SignedIn, stream_ids: unknown, headers = {}) =>
  route(post(PATH, { type: "settle_streams", stream_ids }, { ...bearer(who.access_token), ...headers }));
const codeOf = async (answer: Promise<Response>) =>
  `${(await answer).status} ${(await (await answer).json()).code}`;

test("accepted, run, watched and listed; its owner's alone; final in the end", async () => {
  await startApp((why) => {
    throw new Error(why);
  });
  onTestFinished(stopOperations);
  const [owner, stranger] = [await signedIn(), await signedIn()];
  expect(await codeOf(settle(owner, "all"))).toBe("409 operation_state");
  const ids = [await makeStream(owner), await makeStream(owner)];
  const key = { "Idempotency-Key": "a-key-of-sixteen-letters" };
  const accepted = await settle(owner, "all", key);
  expect(accepted.status).toBe(202);
  const { id } = await accepted.json();
  expect((await (await settle(owner, "all", key)).json()).id).toBe(id);
  expect(await codeOf(settle(owner, ids, key))).toBe("422 idempotency_mismatch");
  const path = `${PATH}/${id}`;
  const own = bearer(owner.access_token);
  const watched = await (await route(get(`${path}/events`, own))).text();
  expect(watched).toContain('"status":"completed"');
  expect(await (await route(get(path, own))).json()).toMatchObject({ id, status: "completed", total: 2 });
  expect((await (await route(get(PATH, own))).json()).operations).toHaveLength(1);
  expect(await codeOf(route(post(`${path}/resume`, {}, own)))).toBe("409 operation_state");
  expect(await codeOf(route(post(`${path}/cancel`, {}, own)))).toBe("409 operation_state");
  const other = bearer(stranger.access_token);
  for (const answer of [route(get(path, other)), route(get(`${path}/events`, other))]) {
    expect(await codeOf(answer)).toBe("404 not_found");
  }
  expect(await codeOf(route(post(`${path}/resume`, {}, other)))).toBe("404 not_found");
  expect(await codeOf(route(post(`${path}/cancel`, {}, other)))).toBe("404 not_found");
  expect(await codeOf(settle(stranger, ids))).toBe("404 not_found");
});

test.each([undefined, "some", [], [1], ["x"], ["A".repeat(22), "A".repeat(22)]])(
  "stream_ids %j is refused",
  async (stream_ids) => {
    expect(await codeOf(settle(await signedIn(), stream_ids))).toBe("400 invalid_request");
  },
);

test("a type that there is not is refused", async () => {
  const { access_token } = await signedIn();
  expect(await codeOf(route(post(PATH, { type: "pay" }, bearer(access_token))))).toBe("400 invalid_request");
});
