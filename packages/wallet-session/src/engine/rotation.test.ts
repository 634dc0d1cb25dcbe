import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../stores/memory.ts";
import { codeOf, issued, startEngine } from "./engine.fixture.ts";

const KEY = "a-retry-key-of-enough-characters";
const OTHER_KEY = "another-retry-key-of-enough-length";
const DAY = 86_400_000;

describe("rotation", () => {
  test("a refresh gives a new access token and the next generation", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, engine } = await startEngine(store);
    const first = await signIn();
    const second = await issued(refresh(first.refreshToken));
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(second).toMatchObject({ expiresInSeconds: 900, refreshExpiresInSeconds: 7 * 86_400 });
    expect(second.session).toMatchObject({
      id: first.session.id,
      generation: 2,
      actorId: first.session.actorId,
    });
    expect((await engine.authenticate(second.accessToken)).actorId).toBe(first.session.actorId);
  });

  test("a token that was read names its session, is refreshed as its text is, and holds no secret", async () => {
    const store = createMemoryStore();
    const { signIn, engine } = await startEngine(store);
    const { refreshToken, session } = await signIn();
    const presented = engine.readRefreshToken(refreshToken);
    expect(presented).toEqual({ sessionId: session.id });
    expect((await engine.refresh(presented)).outcome).toBe("rotated");
    expect(engine.readRefreshToken(refreshToken)).toEqual(presented);
    expect(() => engine.readRefreshToken("garbage")).toThrow("The refresh token is not valid.");
    expect(await codeOf(engine.refresh({ ...presented }))).toBe("refresh_token_invalid");
    expect(await codeOf(engine.refresh(presented))).toBe("refresh_token_reused");
  });

  test("each swap raises the generation by exactly one and writes a new hash and salt", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    let tokens = await signIn();
    const seen = new Set<string>();
    for (let generation = 2; generation <= 20; generation += 1) {
      tokens = await issued(refresh(tokens.refreshToken));
      const row = await store.findSession(tokens.session.id);
      expect(row?.generation).toBe(generation);
      seen.add(`${Buffer.from(row?.secretHash ?? []).toString("hex")}`);
      seen.add(`${Buffer.from(row?.salt ?? []).toString("hex")}`);
    }
    expect(seen.size).toBe(2 * 19);
  });

  test("a rotated token used again: session ended, successor dead, access tokens refused", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, engine, alarms, events } = await startEngine(store);
    const first = await signIn();
    const second = await issued(refresh(first.refreshToken));
    expect(await codeOf(refresh(first.refreshToken))).toBe("refresh_token_reused");
    expect(await codeOf(refresh(second.refreshToken))).toBe("refresh_token_revoked");
    expect(await codeOf(engine.authenticate(second.accessToken))).toBe("session_revoked");
    expect(await codeOf(engine.authenticate(first.accessToken))).toBe("session_revoked");
    expect(alarms()).toEqual([
      {
        type: "reuse_detected",
        actorId: first.session.actorId,
        sessionId: first.session.id,
        presentedGeneration: 1,
        currentGeneration: 2,
      },
    ]);
    expect(events.filter((event) => event.type === "revoked")).toHaveLength(1);
    expect((await store.findSession(first.session.id))?.revokedReason).toBe("reuse");
  });

  test("a token many generations old is reuse, whatever key it comes with", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    const first = await signIn();
    let tokens = first;
    for (let n = 0; n < 5; n += 1) tokens = await issued(refresh(tokens.refreshToken, { retryKey: KEY }));
    expect(await codeOf(refresh(first.refreshToken, { retryKey: KEY }))).toBe("refresh_token_reused");
  });

  test("a lost answer retried with the same key gives the byte-identical successor, days later too", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock, alarms } = await startEngine(store);
    const first = await signIn();
    const second = await issued(refresh(first.refreshToken, { retryKey: KEY }));
    const before = await store.findSession(first.session.id);
    clock.advance(6 * DAY);
    const retried = await refresh(first.refreshToken, { retryKey: KEY });
    expect(retried.outcome).toBe("replayed");
    expect((await issued(Promise.resolve(retried))).refreshToken).toBe(second.refreshToken);
    expect(await store.findSession(first.session.id)).toEqual(before);
    expect(alarms()).toEqual([]);
    expect((await refresh(second.refreshToken)).outcome).toBe("rotated");
  });

  test("a lost answer retried with another key is reuse", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    const first = await signIn();
    await refresh(first.refreshToken, { retryKey: KEY });
    expect(await codeOf(refresh(first.refreshToken, { retryKey: OTHER_KEY }))).toBe("refresh_token_reused");
  });

  test("no key never equals no key", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    const first = await signIn();
    await refresh(first.refreshToken);
    expect(await codeOf(refresh(first.refreshToken, { retryKey: KEY }))).toBe("refresh_token_reused");
    const other = await signIn();
    await refresh(other.refreshToken, { retryKey: KEY });
    expect(await codeOf(refresh(other.refreshToken))).toBe("refresh_token_reused");
  });

  test("a retry after a revocation is refused: what has ended is never replayed", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, engine } = await startEngine(store);
    const first = await signIn();
    await refresh(first.refreshToken, { retryKey: KEY });
    await engine.revokeByRefreshToken(first.refreshToken, "logout");
    expect(await codeOf(refresh(first.refreshToken, { retryKey: KEY }))).toBe("refresh_token_revoked");
  });

  test("idle-expired, at the very millisecond", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock } = await startEngine(store);
    const early = await signIn();
    const late = await signIn();
    clock.advance(7 * DAY - 1);
    expect((await refresh(early.refreshToken)).outcome).toBe("rotated");
    clock.advance(1);
    expect(await codeOf(refresh(late.refreshToken))).toBe("refresh_token_expired");
    expect((await store.findSession(late.session.id))?.revokedAt).toBeNull();
  });

  test("past its absolute end, however busy it was; nothing outlives it", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock, engine } = await startEngine(store);
    let tokens = await signIn();
    for (let day = 0; day < 29; day += 1) {
      clock.advance(DAY);
      tokens = await issued(refresh(tokens.refreshToken));
    }
    clock.advance(DAY - 60_000);
    tokens = await issued(refresh(tokens.refreshToken));
    expect(tokens.expiresInSeconds).toBeLessThanOrEqual(60);
    expect(tokens.refreshExpiresInSeconds).toBeLessThanOrEqual(60);
    clock.advance(60_000);
    expect(await codeOf(refresh(tokens.refreshToken))).toBe("refresh_token_expired");
    expect(await codeOf(engine.authenticate(tokens.accessToken))).toBe("access_token_expired");
  });

  test("over at its absolute end, also where its row has a later idle limit", async () => {
    const store = createMemoryStore();
    const find = store.findSession;
    store.findSession = async (id) => {
      const row = await find(id);
      return row && { ...row, idleExpiresAt: row.expiresAt + 1 };
    };
    const { engine, signIn, clock } = await startEngine(store, { refreshAbsoluteTtlMs: 3_600_000 });
    const { session } = await signIn();
    clock.advance(3_600_000);
    expect(await engine.getSessionStatus(session.id)).toMatchObject({ status: "expired" });
  });

  test("a token of an expired session that was rotated away is expired, not reused", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, clock, alarms } = await startEngine(store);
    const first = await signIn();
    await refresh(first.refreshToken);
    clock.advance(7 * DAY);
    expect(await codeOf(refresh(first.refreshToken))).toBe("refresh_token_expired");
    expect(alarms()).toEqual([]);
  });
});
