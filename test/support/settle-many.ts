import { expect } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import type { App } from "./app-under-test.ts";
import { type Answer, textOf } from "./http-client.ts";
import { bearer } from "./session-client.ts";
import { seedStreams } from "./streams.ts";

/** An operation of so many payment streams, once it was `over`. */
export interface Settled {
  readonly ids: readonly string[];
  readonly id: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly operation: Answer["json"];
  /** How often another session was refreshed meanwhile. */
  readonly refreshes: number;
}

/** Has an operation of so many streams accepted, and refreshes another session on the same database without a pause until `over`. */
export async function settleMany(
  { server, client }: App,
  count: number,
  over: (operation: Answer["json"]) => boolean,
): Promise<Settled> {
  const key = createWalletKeypair();
  const [tokens, other] = [await client.signIn(key), await client.signIn()];
  const headers = bearer(tokens.accessToken);
  const ids = await seedStreams(server, key.account, count);
  const body = { type: "settle_streams", stream_ids: ids };
  const answer = await client.send("POST", "/api/operations", { body, headers });
  expect(answer.status).toBe(202);
  const id = textOf(answer, "id");
  const path = `/api/operations/${id}`;
  let operation = answer.json;
  let refreshes = 0;
  for (let last = other; !over(operation); refreshes += 1) {
    last = await client.rotated(last.refreshToken);
    operation = (await client.send("GET", path, { headers })).json;
  }
  return { ids, id, path, headers, operation, refreshes };
}
