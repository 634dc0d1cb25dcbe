import assert from "node:assert/strict";
import { SessionError } from "../errors.ts";
import type { SessionStore } from "../store.ts";
import { codeOf, engineOn, type ProtocolEngine } from "./protocol-engine.ts";

const KEY = "a-retry-key-of-enough-characters";
const OTHER_KEY = "another-retry-key-of-enough-length";
const DAY = 86_400_000;
const AT_ONCE = 32;
const ROUNDS = 20;
const REVOKE_BEGINS = ["before the refresh", "after the refresh began", "after the swap"] as const;

/** The promises of the protocol, kept by the real engine on the store that is examined. */
export const protocolCases: Record<string, (store: SessionStore) => Promise<void>> = {
  "protocol: a rotated token used again ends the session, its successor and its access tokens": async (
    store,
  ) => {
    const on = await engineOn(store);
    const first = await on.signIn();
    const second = await on.tokens(first.refreshToken);
    assert.equal(await codeOf(on.refresh(first.refreshToken)), "refresh_token_reused");
    assert.equal(await codeOf(on.refresh(second.refreshToken)), "refresh_token_revoked");
    assert.equal(await codeOf(on.engine.authenticate(second.accessToken)), "session_revoked");
    assert.equal((await store.findSession(first.session.id))?.revokedReason, "reuse");
    assert.equal(on.alarms(), 1);
  },

  "protocol: a revoked session is refused by refresh and access token": async (store) => {
    const on = await engineOn(store);
    const { refreshToken, accessToken } = await on.signIn();
    assert.equal(await on.engine.revokeByRefreshToken(refreshToken, "logout"), true);
    assert.equal(await codeOf(on.refresh(refreshToken)), "refresh_token_revoked");
    assert.equal(await codeOf(on.engine.authenticate(accessToken)), "session_revoked");
  },

  "protocol: idle-expired, at the millisecond": async (store) => {
    const on = await engineOn(store);
    const [early, late] = [await on.signIn(), await on.signIn()];
    on.clock.advance(7 * DAY - 1);
    await on.tokens(early.refreshToken);
    on.clock.advance(1);
    assert.equal(await codeOf(on.refresh(late.refreshToken)), "refresh_token_expired");
  },

  "protocol: past its absolute end, however busy it was": async (store) => {
    const on = await engineOn(store);
    let tokens = await on.signIn();
    for (let day = 1; day < 30; day += 1) {
      on.clock.advance(DAY);
      tokens = await on.tokens(tokens.refreshToken);
    }
    on.clock.advance(DAY);
    assert.equal(await codeOf(on.refresh(tokens.refreshToken)), "refresh_token_expired");
  },

  "protocol: a lost answer retried with the same key gives the byte-identical successor": async (store) => {
    const on = await engineOn(store);
    const first = await on.signIn();
    const second = await on.tokens(first.refreshToken, { retryKey: KEY });
    const row = await store.findSession(first.session.id);
    on.clock.advance(DAY);
    const retried = await on.tokens(first.refreshToken, { retryKey: KEY });
    assert.equal(retried.refreshToken, second.refreshToken);
    assert.deepEqual(await store.findSession(first.session.id), row);
    assert.equal(on.alarms(), 0);
  },

  "protocol: a lost answer retried with another key, or without one, is reuse": async (store) => {
    const on = await engineOn(store);
    for (const retry of [{ retryKey: OTHER_KEY }, {}]) {
      const first = await on.signIn();
      await on.tokens(first.refreshToken, { retryKey: KEY });
      assert.equal(await codeOf(on.refresh(first.refreshToken, retry)), "refresh_token_reused");
    }
  },

  "protocol: 32 refreshes of one token at once by body without a key: one rotates, the session ends": async (
    store,
  ) => {
    const on = await engineOn(store);
    const first = await on.signIn();
    const codes = await allAtOnce(() => codeOf(on.refresh(first.refreshToken)));
    assert.equal(codes.filter((code) => code === "none").length, 1);
    const refused = codes.filter((code) => code !== "none");
    for (const code of refused) assert.match(code, /^refresh_token_(reused|revoked)$/);
    assert.ok(refused.includes("refresh_token_reused"));
    const row = await store.findSession(first.session.id);
    assert.deepEqual([row?.generation, row?.revokedReason, on.alarms()], [2, "reuse", 1]);
    assert.equal(await revocationsIn(store), 1);
  },

  "protocol: 32 refreshes of one token at once by body with one key: all get the same successor": (store) =>
    allConverge(store, "body", { retryKey: KEY }),

  "protocol: 32 refreshes of one token at once by cookie: all get the same successor": (store) =>
    allConverge(store, "cookie", {}),

  "protocol: refresh against revoke at the same moment leaves no living successor": async (store) => {
    const on = await engineOn(store);
    let refreshesWon = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const retry = round % 2 === 0 ? {} : { retryKey: KEY };
      const begins = REVOKE_BEGINS[round % REVOKE_BEGINS.length];
      const first = await on.signIn();
      const revoke = () => on.engine.revokeByRefreshToken(first.refreshToken, "logout");
      let revoking = begins === "before the refresh" ? revoke() : null;
      // A refresh whose swap has hit has won, wherever the store's answers come in another order than its questions.
      if (begins === "after the swap") on.onceRotated(() => (revoking ??= revoke()));
      const refreshing = on.tokens(first.refreshToken, retry).catch(revokedOnly);
      if (begins === "after the refresh began") revoking = revoke();
      const second = await refreshing;
      assert.equal(await revoking, true);
      if (second !== null) refreshesWon += 1;
      for (const { refreshToken, accessToken } of second === null ? [first] : [first, second]) {
        assert.equal(await codeOf(on.refresh(refreshToken, retry)), "refresh_token_revoked");
        assert.equal(await codeOf(on.refresh(refreshToken)), "refresh_token_revoked");
        assert.equal(await codeOf(on.engine.authenticate(accessToken)), "session_revoked");
      }
    }
    assert.ok(
      refreshesWon >= Math.floor(ROUNDS / REVOKE_BEGINS.length),
      `only ${refreshesWon} refreshes won`,
    );
    assert.deepEqual([on.alarms(), await revocationsIn(store)], [0, ROUNDS]);
  },
};

/** The same promises through a restart, or on several nodes; `another` is the data as the next process finds it. */
export async function protocolThroughRestarts(
  first: SessionStore,
  another: () => Promise<SessionStore>,
): Promise<void> {
  let store = first;
  let on = await engineOn(store);
  const { clock } = on;
  const restart = async (): Promise<ProtocolEngine> => {
    await store.close();
    store = await another();
    on = await engineOn(store, clock);
    return on;
  };
  const one = await on.signIn();
  const two = await (await restart()).tokens(one.refreshToken, { retryKey: KEY });
  const retried = await (await restart()).tokens(one.refreshToken, { retryKey: KEY });
  assert.equal(retried.refreshToken, two.refreshToken);
  const three = await (await restart()).tokens(two.refreshToken);
  assert.equal((await (await restart()).engine.authenticate(one.accessToken)).sessionId, one.session.id);
  assert.equal(await codeOf((await restart()).refresh(two.refreshToken)), "refresh_token_reused");
  assert.equal(await codeOf((await restart()).refresh(three.refreshToken)), "refresh_token_revoked");
  assert.equal(await codeOf((await restart()).engine.authenticate(three.accessToken)), "session_revoked");
}

/** All get one successor, which refreshes again; the row rose by one each time, and nobody is signed out. */
async function allConverge(
  store: SessionStore,
  transport: "body" | "cookie",
  retry: { retryKey?: string },
): Promise<void> {
  const on = await engineOn(store);
  const first = await on.signIn(transport);
  const all = await allAtOnce(() => on.tokens(first.refreshToken, { ...retry, presentedBy: transport }));
  assert.equal(new Set(all.map(({ refreshToken }) => refreshToken)).size, 1);
  const row = await store.findSession(first.session.id);
  assert.deepEqual([row?.generation, row?.revokedAt, on.alarms()], [2, null, 0]);
  const [shared = first] = all;
  await on.tokens(shared.refreshToken, { presentedBy: transport });
  assert.equal((await store.findSession(first.session.id))?.generation, 3);
}

/** How many entries the log has. A store may give one twice, at the same position. */
async function revocationsIn(store: SessionStore): Promise<number> {
  const { entries } = await store.revocationsAfter(0, 1_000);
  return new Set(entries.map(({ position }) => position)).size;
}

/** A refresh may only lose to the revocation. */
function revokedOnly(error: unknown): null {
  assert.ok(error instanceof SessionError);
  assert.equal(error.code, "refresh_token_revoked");
  return null;
}

function allAtOnce<T>(run: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, run));
}
