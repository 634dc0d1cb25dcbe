import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { sessionIdFrom } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { readRefreshToken, writeRefreshToken } from "../tokens/refresh-token.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { codeOf, issued, OTHER_SECRET, SECRET, startEngine } from "./engine.fixture.ts";

const KEY = "a-retry-key-of-enough-characters";

describe("secrets", () => {
  test("a new secret in front: old tokens rotate, access tokens verify, nobody is signed out", async () => {
    const store = createMemoryStore();
    const before = await startEngine(store);
    const first = await before.signIn();
    const after = await startEngine(store, { secrets: [OTHER_SECRET, SECRET], clock: before.clock });
    expect((await after.engine.authenticate(first.accessToken)).sessionId).toBe(first.session.id);
    const second = await issued(after.refresh(first.refreshToken));
    expect((await after.refresh(second.refreshToken)).outcome).toBe("rotated");
  });

  test("the row of a session holds neither a token's secret nor a retry key", async () => {
    const store = createMemoryStore();
    const { signIn, refresh } = await startEngine(store);
    const first = await signIn();
    const second = await issued(refresh(first.refreshToken, { retryKey: KEY }));
    const row = await store.findSession(first.session.id);
    const kept = Buffer.concat(
      [row?.secretHash, row?.salt, row?.retryKeyHash].map((part) => part ?? Buffer.alloc(0)),
    );
    expect(kept).toHaveLength(32 + 16 + 32);
    const secrets = [first, second].map(({ refreshToken }) => {
      return readRefreshToken(createKeyring([SECRET]), refreshToken)?.secret ?? "";
    });
    expect([...secrets, KEY].map((secret) => kept.includes(Buffer.from(secret)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("a retry across a change of secrets gives the identical successor", async () => {
    const store = createMemoryStore();
    const before = await startEngine(store);
    const first = await before.signIn();
    const second = await issued(before.refresh(first.refreshToken, { retryKey: KEY }));
    const after = await startEngine(store, { secrets: [OTHER_SECRET, SECRET], clock: before.clock });
    const retried = await issued(after.refresh(first.refreshToken, { retryKey: KEY }));
    expect(retried.refreshToken).toBe(second.refreshToken);
  });

  test("a node that lists the coming secret already verifies what it will sign", async () => {
    const store = createMemoryStore();
    const ahead = await startEngine(store, { secrets: [OTHER_SECRET, SECRET] });
    const behind = await startEngine(store, { secrets: [SECRET, OTHER_SECRET], clock: ahead.clock });
    const first = await ahead.signIn();
    const second = await issued(behind.refresh(first.refreshToken));
    expect((await ahead.refresh(second.refreshToken)).outcome).toBe("rotated");
  });

  test("a secret that is no longer listed: its tokens are invalid, new sessions work", async () => {
    const store = createMemoryStore();
    const before = await startEngine(store);
    const first = await before.signIn();
    const after = await startEngine(store, { secrets: [OTHER_SECRET], clock: before.clock });
    expect(await codeOf(after.refresh(first.refreshToken))).toBe("refresh_token_invalid");
    expect(await codeOf(after.engine.authenticate(first.accessToken))).toBe("access_token_invalid");
    expect(after.events).toContainEqual(expect.objectContaining({ type: "signing_key_unreadable" }));
    const fresh = await after.signIn();
    expect((await after.engine.authenticate(fresh.accessToken)).sessionId).toBe(fresh.session.id);
  });

  test("the secret alone forges no token that is accepted: another secret of this generation, or one ahead", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, alarms } = await startEngine(store);
    const first = await signIn();
    const { signing } = createKeyring([SECRET]);
    const row = await store.findSession(first.session.id);
    for (const generation of [1, 2, 0xffff_fffe]) {
      const forged = writeRefreshToken(signing, {
        sessionId: first.session.id,
        generation,
        secret: randomBytes(32),
      });
      expect(await codeOf(refresh(forged))).toBe("refresh_token_invalid");
    }
    expect(await store.findSession(first.session.id)).toEqual(row);
    expect(alarms()).toEqual([]);
  });

  test("the secret with a known session id forges a false alarm at most: an old generation that ends the session", async () => {
    const store = createMemoryStore();
    const { refresh, signIn, alarms } = await startEngine(store);
    const first = await signIn("cookie");
    await issued(refresh(first.refreshToken, { by: "cookie" }));
    const { signing } = createKeyring([SECRET]);
    const sessionId = first.session.id;
    const forged = writeRefreshToken(signing, { sessionId, generation: 1, secret: randomBytes(32) });
    // The direct parent by its number, within the leeway, but the current token does not derive from it.
    expect(await codeOf(refresh(forged, { by: "cookie" }))).toBe("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
  });

  test("the secret and an old spent token derive no living one: each swap salts the ratchet afresh", async () => {
    const store = createMemoryStore();
    const { refresh, signIn } = await startEngine(store);
    const first = await signIn();
    const second = await issued(refresh(first.refreshToken));
    const { signing } = createKeyring([SECRET]);
    const spent = readRefreshToken(createKeyring([SECRET]), first.refreshToken);
    const derive = Buffer.from(
      hkdfSync("sha256", SECRET, "", "wallet-session/v1/refresh-token-successor", 32),
    );
    const id = Buffer.from(first.session.id, "base64url");
    const guess = createHmac("sha256", derive)
      .update(id)
      .update(Buffer.from([0, 0, 0, 2]))
      .update(spent?.secret ?? "")
      .update(Buffer.alloc(16))
      .digest();
    const forged = writeRefreshToken(signing, { sessionId: first.session.id, generation: 2, secret: guess });
    expect(await codeOf(refresh(forged))).toBe("refresh_token_invalid");
    expect((await refresh(second.refreshToken)).outcome).toBe("rotated");
  });

  test("a token of a session that is in no store is invalid", async () => {
    const store = createMemoryStore();
    const { refresh, events } = await startEngine(store);
    const { signing } = createKeyring([SECRET]);
    const sessionId = sessionIdFrom(randomBytes(16));
    const token = writeRefreshToken(signing, { sessionId, generation: 1, secret: randomBytes(32) });
    expect(await codeOf(refresh(token))).toBe("refresh_token_invalid");
    expect(events.at(-1)).toMatchObject({ type: "refresh_refused", why: "unknown_row" });
  });
});
