import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../stores/memory.ts";
import { codeOf, issued, startEngine } from "./engine.fixture.ts";

const KEY = "a-retry-key-of-enough-characters";
const LEEWAY = 30_000;

describe("cookie sessions", () => {
  test("a parent is replayed within the leeway, writes nothing, and the leeway does not slide", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock } = await startEngine(store);
    const first = await signIn("cookie");
    const second = await issued(refresh(first.refreshToken, { by: "cookie" }));
    const row = await store.findSession(first.session.id);
    clock.advance(LEEWAY - 1);
    const replayed = await refresh(first.refreshToken, { by: "cookie" });
    expect(replayed.outcome).toBe("replayed");
    expect((await issued(Promise.resolve(replayed))).refreshToken).toBe(second.refreshToken);
    expect(await store.findSession(first.session.id)).toEqual(row);
    clock.advance(1);
    expect(await codeOf(refresh(first.refreshToken, { by: "cookie" }))).toBe("refresh_token_reused");
  });

  test("a grandparent is reuse, within the leeway too", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    const first = await signIn("cookie");
    const second = await issued(refresh(first.refreshToken, { by: "cookie" }));
    await refresh(second.refreshToken, { by: "cookie" });
    expect(await codeOf(refresh(first.refreshToken, { by: "cookie" }))).toBe("refresh_token_reused");
  });

  test("the jar's retry key works when the leeway is long over", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock } = await startEngine(store);
    const first = await signIn("cookie");
    const second = await issued(refresh(first.refreshToken, { by: "cookie", retryKey: KEY }));
    clock.advance(3_600_000);
    const retried = await issued(refresh(first.refreshToken, { by: "cookie", retryKey: KEY }));
    expect(retried.refreshToken).toBe(second.refreshToken);
  });

  test("a clock set back counts as no time at all", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock } = await startEngine(store);
    const first = await signIn("cookie");
    await refresh(first.refreshToken, { by: "cookie" });
    clock.advance(-3_600_000);
    expect((await refresh(first.refreshToken, { by: "cookie" })).outcome).toBe("replayed");
  });

  test.each([
    ["body", "cookie"],
    ["cookie", "body"],
  ] as const)("a %s token presented as %s is invalid and changes nothing", async (transport, by) => {
    const store = createMemoryStore();
    const { refresh, signIn, alarms } = await startEngine(store);
    const first = await signIn(transport);
    const second = await issued(refresh(first.refreshToken, { by: transport }));
    const row = await store.findSession(first.session.id);
    expect(await codeOf(refresh(first.refreshToken, { by }))).toBe("refresh_token_invalid");
    expect(await codeOf(refresh(second.refreshToken, { by }))).toBe("refresh_token_invalid");
    expect(await store.findSession(first.session.id)).toEqual(row);
    expect(alarms()).toEqual([]);
    expect((await refresh(second.refreshToken, { by: transport })).outcome).toBe("rotated");
  });

  test("a body session has no leeway", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    const first = await signIn("body");
    await refresh(first.refreshToken);
    expect(await codeOf(refresh(first.refreshToken))).toBe("refresh_token_reused");
  });
});

describe("a jar that was renewed a moment ago", () => {
  async function jar() {
    const store = createMemoryStore();
    return { store, ...(await startEngine(store)) };
  }

  test("is left unchanged, and told what is left", async () => {
    const { store, refresh, signIn, clock } = await jar();
    const tokens = await signIn("cookie");
    const row = await store.findSession(tokens.session.id);
    clock.advance(10_000);
    const result = await refresh(tokens.refreshToken, { by: "cookie", jar: tokens.accessToken });
    expect(result).toMatchObject({
      outcome: "unchanged",
      expiresInSeconds: 890,
      refreshExpiresInSeconds: 7 * 86_400 - 10,
    });
    expect(await store.findSession(tokens.session.id)).toEqual(row);
  });

  test("rotates again two leeways after its access token was issued", async () => {
    const { refresh, signIn, clock } = await jar();
    const tokens = await signIn("cookie");
    clock.advance(2 * LEEWAY);
    const result = await refresh(tokens.refreshToken, { by: "cookie", jar: tokens.accessToken });
    expect(result.outcome).toBe("rotated");
  });

  test("counts by the jar's own age: an old jar is answered although the row is young", async () => {
    const { refresh, signIn, clock } = await jar();
    const tokens = await signIn("cookie");
    clock.advance(600_000);
    await refresh(tokens.refreshToken, { by: "cookie", jar: tokens.accessToken });
    const lost = await refresh(tokens.refreshToken, { by: "cookie", jar: tokens.accessToken });
    expect(lost.outcome).toBe("replayed");
  });

  test("does not hide a spent token: after the leeway it is reuse, and a retry within it", async () => {
    const { refresh, signIn, clock, alarms } = await jar();
    const first = await signIn("cookie");
    clock.advance(600_000);
    const second = await issued(refresh(first.refreshToken, { by: "cookie", retryKey: KEY }));
    const young = { by: "cookie", jar: second.accessToken } as const;
    clock.advance(LEEWAY - 1);
    expect((await refresh(first.refreshToken, young)).outcome).toBe("replayed");
    clock.advance(1);
    expect((await refresh(first.refreshToken, { ...young, retryKey: KEY })).outcome).toBe("replayed");
    expect((await refresh(second.refreshToken, young)).outcome).toBe("unchanged");
    expect(alarms()).toEqual([]);
    expect(await codeOf(refresh(first.refreshToken, young))).toBe("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
    expect(await codeOf(refresh(second.refreshToken, young))).toBe("refresh_token_revoked");
  });

  test("does not hide a token of two generations ago, within the leeway either", async () => {
    const { refresh, signIn, alarms } = await jar();
    const first = await signIn("cookie");
    const second = await issued(refresh(first.refreshToken, { by: "cookie" }));
    const third = await issued(refresh(second.refreshToken, { by: "cookie" }));
    const young = { by: "cookie", jar: third.accessToken } as const;
    expect(await codeOf(refresh(first.refreshToken, young))).toBe("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
  });

  test("is not spared by an access token of another session, a forged one, or one by body", async () => {
    const { refresh, signIn } = await jar();
    const other = await signIn("cookie");
    for (const access of [other.accessToken, "forged", `${other.accessToken}=`]) {
      const tokens = await signIn("cookie");
      const result = await refresh(tokens.refreshToken, { by: "cookie", jar: access });
      expect(result.outcome).toBe("rotated");
    }
    const body = await signIn("body");
    expect((await refresh(body.refreshToken, { jar: body.accessToken })).outcome).toBe("rotated");
  });

  test("is refused once its session has ended or is unknown", async () => {
    const { refresh, signIn, engine, clock } = await jar();
    const tokens = await signIn("cookie");
    await engine.revokeByRefreshToken(tokens.refreshToken, "logout");
    expect(await codeOf(refresh(tokens.refreshToken, { by: "cookie", jar: tokens.accessToken }))).toBe(
      "refresh_token_revoked",
    );
    const short = await startEngine((await jar()).store, { refreshIdleTtlMs: 1_000, clock });
    const idle = await short.signIn("cookie");
    clock.advance(1_000);
    expect(await codeOf(short.refresh(idle.refreshToken, { by: "cookie", jar: idle.accessToken }))).toBe(
      "refresh_token_expired",
    );
  });

  test("is invalid when its session is one by body, or in no store at all", async () => {
    const { store, refresh, signIn, clock } = await jar();
    const body = await signIn("body");
    expect(await codeOf(refresh(body.refreshToken, { by: "cookie", jar: body.accessToken }))).toBe(
      "refresh_token_invalid",
    );
    const emptied = createMemoryStore();
    for (const key of await store.signingKeys()) await emptied.addSigningKey(key, null);
    const restored = await startEngine(emptied, { clock });
    const lost = await signIn("cookie");
    expect(await codeOf(restored.refresh(lost.refreshToken, { by: "cookie", jar: lost.accessToken }))).toBe(
      "refresh_token_invalid",
    );
  });

  test("garbage beside a young access token is garbage", async () => {
    const { refresh, signIn } = await jar();
    const tokens = await signIn("cookie");
    expect(await codeOf(refresh("wsr1_garbage", { by: "cookie", jar: tokens.accessToken }))).toBe(
      "refresh_token_invalid",
    );
  });
});

test("the leeway leaves room to renew a short access token, and is refused where it does not", async () => {
  const short = { accessTtlMs: 20_000 };
  const { refresh, signIn, clock } = await startEngine(createMemoryStore(), short);
  const { refreshToken, accessToken } = await signIn("cookie");
  clock.advance(11_000);
  expect((await refresh(refreshToken, { by: "cookie", jar: accessToken })).outcome).toBe("rotated");
  await expect(startEngine(createMemoryStore(), { ...short, refreshLeewayMs: 5_001 })).rejects.toThrow(
    RangeError,
  );
});
