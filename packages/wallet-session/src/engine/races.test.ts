import { describe, expect, test } from "vitest";
import { codeOf, issued, STORES, startEngine } from "./engine.fixture.ts";

const KEY = "a-retry-key-of-enough-characters";
const AT_ONCE = Array.from({ length: 32 }, (_, index) => index);

describe.each(STORES)("32 refreshes of one token at once on $name", ({ open }) => {
  test("by body without a key: one rotates, the rest are reuse, the session has ended", async () => {
    const { store } = open();
    const { refresh, signIn, alarms } = await startEngine(store);
    const first = await signIn();
    const results = await Promise.allSettled(AT_ONCE.map(() => refresh(first.refreshToken)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won.map((result) => result.value.outcome)).toEqual(["rotated"]);
    const codes = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
    expect(codes).toHaveLength(31);
    for (const code of codes) expect(["refresh_token_reused", "refresh_token_revoked"]).toContain(code);
    expect(codes).toContain("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
    expect(await store.findSession(first.session.id)).toMatchObject({
      generation: 2,
      revokedReason: "reuse",
    });
    expect((await store.revocationsAfter(0, 100)).entries).toHaveLength(1);
  });

  test("by body with one key: all get one and the same successor", async () => {
    const { store } = open();
    const { refresh, signIn, alarms } = await startEngine(store);
    const first = await signIn();
    const results = await Promise.all(AT_ONCE.map(() => refresh(first.refreshToken, { retryKey: KEY })));
    expect(results.filter((result) => result.outcome === "rotated")).toHaveLength(1);
    const tokens = await Promise.all(results.map((result) => issued(Promise.resolve(result))));
    expect(new Set(tokens.map((token) => token.refreshToken)).size).toBe(1);
    expect(await store.findSession(first.session.id)).toMatchObject({ generation: 2, revokedAt: null });
    expect(alarms()).toEqual([]);
    expect((await refresh(tokens[0]?.refreshToken ?? "")).outcome).toBe("rotated");
  });

  test("by cookie: all get one and the same successor, nobody is signed out", async () => {
    const { store } = open();
    const { refresh, signIn, alarms } = await startEngine(store);
    const first = await signIn("cookie");
    const results = await Promise.all(AT_ONCE.map(() => refresh(first.refreshToken, { by: "cookie" })));
    expect(results.filter((result) => result.outcome === "rotated")).toHaveLength(1);
    const tokens = await Promise.all(results.map((result) => issued(Promise.resolve(result))));
    expect(new Set(tokens.map((token) => token.refreshToken)).size).toBe(1);
    expect(await store.findSession(first.session.id)).toMatchObject({ generation: 2, revokedAt: null });
    expect(alarms()).toEqual([]);
  });

  test("refresh against revoke at the same moment: no living successor after an acknowledged revoke", async () => {
    const { store } = open();
    const { refresh, signIn, engine, alarms } = await startEngine(store);
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const first = await signIn();
      const refreshing = refresh(first.refreshToken).then(
        (result) => issued(Promise.resolve(result)),
        () => null,
      );
      const revoking = engine.revokeByRefreshToken(first.refreshToken, "logout");
      if (round % 2 === 1) await revoking;
      const [tokens] = await Promise.all([refreshing, revoking]);
      outcomes.add(tokens === null ? "revoked first" : "rotated first");
      const living = tokens?.refreshToken ?? first.refreshToken;
      expect(await codeOf(refresh(living))).toBe("refresh_token_revoked");
      expect(await codeOf(engine.authenticate(tokens?.accessToken ?? first.accessToken))).toBe(
        "session_revoked",
      );
    }
    expect(outcomes).toContain("rotated first");
    expect(alarms()).toEqual([]);
  });
});
