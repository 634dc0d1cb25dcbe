import { expect, test } from "vitest";
import type { SessionStore } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createSessionEngine } from "./create-session-engine.ts";
import {
  codeOf,
  createManualTimers,
  ISSUER,
  issued,
  SECRET,
  startEngine,
  type TestEngine,
} from "./engine.fixture.ts";

/** A real store whose disk can be pulled: while `down`, each step fails, or the one of this name, after its write where `late`. */
function unreliable() {
  const store = createMemoryStore();
  const fault: { down: boolean | keyof SessionStore; late: boolean } = { down: false, late: false };
  const proxy = new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      const fail = async (...args: unknown[]) => {
        if (fault.late) await Reflect.apply(value, target, args);
        throw new Error("disk I/O error while writing a-secret-value");
      };
      const fails = () => fault.down === true || fault.down === name;
      return (...args: unknown[]) => (fails() ? fail(...args) : Reflect.apply(value, target, args));
    },
  });
  return { store: proxy as SessionStore, fault };
}

const KEY = "a-retry-key-of-enough-characters";

test("a store fault is store_unavailable for every verb, never a refusal, and is reported once", async () => {
  const { store, fault } = unreliable();
  const { engine, refresh, signIn, events, clock } = await startEngine(store);
  const tokens = await signIn("cookie");
  fault.down = true;
  clock.advance(15_000);
  const calls = [
    signIn(),
    refresh(tokens.refreshToken, { by: "cookie" }),
    refresh(tokens.refreshToken, { by: "cookie", jar: tokens.accessToken }),
    engine.revokeByRefreshToken(tokens.refreshToken, "logout"),
    engine.revokeByAccessToken(tokens.accessToken, "logout"),
    engine.revokeSession(tokens.session.actorId, tokens.session.id),
    engine.revokeSessions(tokens.session.actorId, null),
    engine.listSessions(tokens.session.actorId),
    engine.listAlarms(tokens.session.actorId),
    engine.getSessionStatus(tokens.session.id),
    engine.authenticate(tokens.accessToken, { fresh: true }),
    engine.inspectRefreshToken(tokens.refreshToken),
  ];
  expect(await Promise.all(calls.map(codeOf))).toEqual(calls.map(() => "store_unavailable"));
  expect(events.filter(({ type }) => type === "store_fault")).toHaveLength(calls.length);
  expect(await engine.getReadiness()).toEqual({ store: false, revocations: false });
  // Without `fresh` a verified token goes on: the revocations this node knows are still refused.
  expect((await engine.authenticate(tokens.accessToken)).sessionId).toBe(tokens.session.id);
  fault.down = false;
  expect((await refresh(tokens.refreshToken, { by: "cookie" })).outcome).toBe("rotated");
});

test("a store that throws instead of rejecting is a fault as well", async () => {
  const store = createMemoryStore();
  store.listSessions = () => {
    throw new Error("no connection");
  };
  const { engine } = await startEngine(store);
  expect(await codeOf(engine.listSessions("anyone"))).toBe("store_unavailable");
});

test("a log that fails changes no answer, so nobody loses the tokens that a swap has paid for", async () => {
  const { store, fault } = unreliable();
  const { engine, refresh, signIn } = await startEngine(store, {
    onEvent: () => {
      throw new Error("the log's disk is full");
    },
  });
  const first = await signIn();
  const second = await issued(refresh(first.refreshToken));
  fault.down = true;
  expect(await codeOf(refresh(second.refreshToken))).toBe("store_unavailable");
  fault.down = false;
  expect(await codeOf(refresh(first.refreshToken))).toBe("refresh_token_reused");
  expect(await codeOf(engine.authenticate(second.accessToken))).toBe("session_revoked");
  expect(await engine.revokeByRefreshToken((await signIn()).refreshToken, "logout")).toBe(true);
});

test("the public message of a fault says nothing of its cause", async () => {
  const { store, fault } = unreliable();
  const { signIn } = await startEngine(store);
  fault.down = true;
  await expect(signIn()).rejects.toMatchObject({
    message: expect.not.stringContaining("disk"),
    retryAfterSeconds: 2,
  });
});

test("garbage never reaches the store: it is refused while the store is down", async () => {
  const { store, fault } = unreliable();
  const { refresh, engine } = await startEngine(store);
  fault.down = true;
  expect(await codeOf(refresh(`wsr1_${"A".repeat(96)}`))).toBe("refresh_token_invalid");
  expect(await codeOf(engine.inspectRefreshToken("x"))).toBe("refresh_token_invalid");
  expect(await codeOf(engine.authenticate("a.b.c"))).toBe("access_token_invalid");
});

test("a swap whose answer the store lost is mended by a retry with the same key", async () => {
  const { store, fault } = unreliable();
  const { refresh, signIn, alarms } = await startEngine(store);
  const first = await signIn();
  Object.assign(fault, { down: true, late: true });
  expect(await codeOf(refresh(first.refreshToken, { retryKey: KEY }))).toBe("store_unavailable");
  Object.assign(fault, { down: false, late: false });
  const retried = await refresh(first.refreshToken, { retryKey: KEY });
  expect(retried.outcome).toBe("replayed");
  expect((await refresh((await issued(Promise.resolve(retried))).refreshToken)).outcome).toBe("rotated");
  expect(alarms()).toEqual([]);
});

test.each([
  ["before", true],
  ["after", false],
])(
  "a revocation whose answer the store lost is told of once, where the log shows it %s that",
  async (_, wakes) => {
    const { store, fault } = unreliable();
    if (!wakes) store.watchRevocations = () => () => {};
    const here = await startEngine(store);
    const timers = createManualTimers(here.clock);
    const there = await startEngine(store, { clock: here.clock, every: timers.every });
    const [stolen, signedOut, unwritten] = [await there.signIn(), await there.signIn(), await there.signIn()];
    for (const { refreshToken } of [stolen, unwritten]) await there.refresh(refreshToken);
    Object.assign(fault, { down: "revokeSession", late: true });
    const lost = [stolen, stolen].map(({ refreshToken }) => codeOf(there.refresh(refreshToken)));
    expect(await Promise.all(lost)).toEqual(["store_unavailable", "store_unavailable"]);
    const signOut = there.engine.revokeByAccessToken(signedOut.accessToken, "logout");
    expect(await codeOf(signOut)).toBe("store_unavailable");
    fault.late = false;
    expect(await codeOf(there.refresh(unwritten.refreshToken))).toBe("store_unavailable");
    fault.down = false;
    // The clients try again, on any node.
    for (const { refresh } of [here, there]) {
      expect(await codeOf(refresh(stolen.refreshToken))).toBe("refresh_token_revoked");
    }
    expect(await here.engine.revokeByAccessToken(signedOut.accessToken, "logout")).toBe(false);
    here.clock.advance(1);
    expect(await codeOf(here.refresh(unwritten.refreshToken))).toBe("refresh_token_reused");
    await timers.pass(2_000);
    const alarmed = ({ alarms }: TestEngine) => alarms().map(({ sessionId }) => sessionId);
    expect([alarmed(there), alarmed(here)]).toEqual([[stolen.session.id], [unwritten.session.id]]);
    const ended = there.events.flatMap((event) => (event.type === "revoked" ? event.sessionIds : []));
    expect(new Set(ended)).toEqual(new Set([stolen.session.id, signedOut.session.id]));
    expect(ended).toHaveLength(2);
    expect(there.events.map(({ type }) => type)).not.toContain("revocations_reasserted");
  },
);

test("a node that could not read the revocations yet asks before it lets anyone in", async () => {
  const { store, fault } = unreliable();
  const first = await startEngine(store);
  const tokens = await first.signIn();
  const cold = createSessionEngine({ store, secrets: [SECRET], issuer: ISSUER, clock: first.clock });
  await cold.getJwks();
  fault.down = true;
  expect(await codeOf(cold.authenticate(tokens.accessToken))).toBe("store_unavailable");
  fault.down = false;
  expect((await cold.authenticate(tokens.accessToken)).sessionId).toBe(tokens.session.id);
});

test("after close every verb that needs the store fails", async () => {
  const { engine, refresh, signIn } = await startEngine(createMemoryStore());
  const tokens = await signIn();
  await engine.close();
  expect(await codeOf(refresh(tokens.refreshToken))).toBe("store_unavailable");
});

test("an engine that was never started still refuses what was revoked elsewhere", async () => {
  const store = createMemoryStore();
  const started = await startEngine(store);
  const idle = createSessionEngine({ store, secrets: [SECRET], issuer: ISSUER, clock: started.clock });
  const tokens = await started.signIn();
  expect((await idle.authenticate(tokens.accessToken)).sessionId).toBe(tokens.session.id);
  await started.engine.revokeByRefreshToken(tokens.refreshToken, "logout");
  expect(await codeOf(idle.authenticate(tokens.accessToken))).toBe("session_revoked");
});

test("a jar whose access token cannot be verified for a fault is not refused for it", async () => {
  const { store, fault } = unreliable();
  const here = await startEngine(store);
  const there = await startEngine(store, { clock: here.clock });
  await there.engine.rotateSigningKey();
  here.clock.advance(600_000);
  const jar = await there.signIn("cookie");
  fault.down = true;
  const refreshing = here.refresh(jar.refreshToken, { by: "cookie", jar: jar.accessToken });
  expect(await codeOf(refreshing)).toBe("store_unavailable");
});

test("a store whose swap misses a row that is as the token says is not asked for ever", async () => {
  const store = createMemoryStore();
  const { refresh, signIn, alarms } = await startEngine({
    ...store,
    // A custom store that compares wrongly.
    rotate: async ({ id }) => {
      const session = await store.findSession(id);
      return session === null ? { outcome: "unknown" } : { outcome: "unmatched", session };
    },
  });
  const { refreshToken, session } = await signIn();
  expect(await codeOf(refresh(refreshToken))).toBe("refresh_token_invalid");
  expect(alarms()).toEqual([]);
  expect((await store.findSession(session.id))?.revokedAt).toBeNull();
});
