import { describe, expect, test } from "vitest";
import { createSessionClient } from "wallet-session/client";
import { change, read } from "./request.ts";

const portal = () => new Response("<h1>Accept our terms</h1>", { headers: { "content-type": "text/html" } });
const done = () => Response.json({ id: "a" });

/** A client whose requests are answered in this order, the last answer again and again. */
function answering(...answers: (() => Response)[]) {
  const keys: (string | null)[] = [];
  const client = createSessionClient({
    fetch: async (_, init) => {
      keys.push(new Headers(init?.headers).get("idempotency-key"));
      const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
      if (answer === undefined) throw new TypeError("no answer");
      return answer();
    },
  });
  return { client, keys };
}

describe("a page of somebody in between", () => {
  test("is no answer of ours", async () => {
    const { client } = answering(portal);
    await expect(read(client, "/api/streams")).rejects.toMatchObject({
      code: "unexpected_response",
      status: 200,
    });
  });

  test("decides nothing about a change, which is sent again under the same key", async () => {
    const { client, keys } = answering(portal, done);
    expect(await change(client, "/api/streams", { body: {} })).toEqual({ id: "a" });
    expect(keys).toEqual([expect.stringMatching(/^[\w-]{36}$/), keys[0]]);
  });
});
