import { describe, expect, test } from "vitest";
import { DATABASES } from "../sql/databases.fixture.ts";
import { codeOf, streamsOn } from "../streams/streams.fixture.ts";
import { jsonAnswer } from "./answer.ts";
import { ANSWER_KEPT_MS, idempotentRequest, keepAnswer, keptAnswer } from "./idempotency.ts";

describe.each(DATABASES)("%s", (kind) => {
  const { openStreams } = streamsOn(kind);

  const ANSWER = jsonAnswer({ n: 1 }, 201, { Location: "/x" });
  const KEY = "0123456789abcdef";

  function request(key: string | null = KEY, path = "/api/x"): Request {
    const headers: Record<string, string> = key === null ? {} : { "Idempotency-Key": key };
    return new Request(`https://app.example${path}`, { method: "POST", headers });
  }

  async function open() {
    const { sql, clock } = await openStreams();
    return {
      clock,
      sql,
      keep: (asked: Parameters<typeof keepAnswer>[1]) =>
        sql.write((tx) => keepAnswer(tx, asked, ANSWER, clock.now())),
      kept: (asked: Parameters<typeof keptAnswer>[1]) => sql.write((tx) => keptAnswer(tx, asked)),
    };
  }

  test("an answer is kept for its actor, key, address and input, and neither key nor input as such", async () => {
    const { sql, keep, kept } = await open();
    const asked = idempotentRequest(request(), "alice", { deposit: 10n, title: "secret" });
    await keep(asked);
    expect(
      await kept(idempotentRequest(request(`"${KEY}"`), "alice", { deposit: 10n, title: "secret" })),
    ).toEqual(ANSWER);
    for (const other of [
      idempotentRequest(request(), "alice", { deposit: 11n, title: "secret" }),
      idempotentRequest(request(), "alice"),
      idempotentRequest(request(KEY, "/api/y"), "alice", { deposit: 10n, title: "secret" }),
    ]) {
      expect(await codeOf(kept(other))).toBe("idempotency_mismatch");
    }
    expect(await kept(idempotentRequest(request(), "bob", { deposit: 10n, title: "secret" }))).toBeNull();
    const [row] = await sql.db.selectFrom("idempotent_answers").selectAll().execute();
    expect(Object.values(row ?? {}).join()).not.toMatch(/0123456789abcdef|secret/);
  });

  test("without a key nothing is kept", async () => {
    const { keep, kept } = await open();
    expect(idempotentRequest(request(null), "alice")).toBeNull();
    await keep(null);
    expect(await kept(null)).toBeNull();
  });

  test("answers are forgotten once they are old", async () => {
    const { clock, keep, kept } = await open();
    const old = idempotentRequest(request(), "alice");
    await keep(old);
    clock.advance(ANSWER_KEPT_MS);
    await keep(idempotentRequest(request("another-key-of-hers"), "alice"));
    expect(await kept(old)).toEqual(ANSWER);
    clock.advance(1);
    await keep(idempotentRequest(request("a-third-key-of-hers"), "alice"));
    expect(await kept(old)).toBeNull();
  });
});
