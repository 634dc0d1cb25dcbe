import { describe, expect, test, vi } from "vitest";
import type { SessionId } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { ACTOR, codeOf, createManualTimers, issued, startEngine } from "./engine.fixture.ts";
import type { IssuedTokens } from "./session-engine.ts";

const OTHER_ACTOR = "GDQP2KPQGKIHYJGXNUIYOMHARUARCA7DJT5FO2FFOOKY3B2WSQHG4W37";

describe("revocation", () => {
  test("a revoked session: refresh and access tokens are refused, at once here", async () => {
    const store = createMemoryStore();
    const { engine, refresh, signIn, events } = await startEngine(store);
    const tokens = await signIn();
    expect(await engine.revokeByRefreshToken(tokens.refreshToken, "logout")).toBe(true);
    expect(await codeOf(refresh(tokens.refreshToken))).toBe("refresh_token_revoked");
    expect(await codeOf(engine.authenticate(tokens.accessToken))).toBe("session_revoked");
    expect(await engine.revokeByRefreshToken(tokens.refreshToken, "logout")).toBe(false);
    expect(events.filter(({ type }) => type === "revoked")).toEqual([
      { type: "revoked", reason: "logout", actorId: ACTOR, sessionIds: [tokens.session.id] },
    ]);
  });

  test("another node refuses the access token after its next reading of the log", async () => {
    const store = createMemoryStore();
    const here = await startEngine(store);
    const timers = createManualTimers(here.clock);
    const there = await startEngine(store, { clock: here.clock, every: timers.every });
    const tokens = await here.signIn();
    expect((await there.engine.authenticate(tokens.accessToken)).sessionId).toBe(tokens.session.id);
    await here.engine.revokeByRefreshToken(tokens.refreshToken, "logout");
    await timers.pass(1_000);
    expect(await codeOf(there.engine.authenticate(tokens.accessToken))).toBe("session_revoked");
  });

  test("what another node has ended is refused here as soon as this one acknowledges it, and is not its own", async () => {
    const store = createMemoryStore();
    store.watchRevocations = () => () => {};
    let line = Promise.resolve();
    const read = store.revocationsAfter.bind(store);
    store.revocationsAfter = async (...place) => {
      const page = await read(...place);
      await line;
      return page;
    };
    const here = await startEngine(store);
    const timers = createManualTimers(here.clock);
    const there = await startEngine(store, { clock: here.clock, every: timers.every });
    const endings = [
      ({ refreshToken }: IssuedTokens) => there.engine.revokeByRefreshToken(refreshToken, "logout"),
      ({ accessToken }: IssuedTokens) => there.engine.revokeByAccessToken(accessToken, "logout"),
      ({ session }: IssuedTokens) => there.engine.revokeSession(ACTOR, session.id),
      () => there.engine.revokeSessions(ACTOR, null),
    ];
    for (const end of endings) {
      const tokens = await here.signIn();
      const { promise, resolve } = Promise.withResolvers<void>();
      line = promise;
      // A reading that has passed the place of what is ended now.
      await timers.pass(1_000);
      await here.engine.revokeByRefreshToken(tokens.refreshToken, "logout");
      const ending = end(tokens);
      resolve();
      await ending;
      expect(await codeOf(there.engine.authenticate(tokens.accessToken))).toBe("session_revoked");
    }
    await timers.pass(2_000);
    expect(there.events.map(({ type }) => type)).not.toContain("revocations_reasserted");
    expect(there.events.map(({ type }) => type)).not.toContain("revoked");
  });

  test("another node that is woken refuses it without waiting for its timers, once they are all told of", async () => {
    const store = createMemoryStore();
    let wake = () => {};
    store.watchRevocations = (call) => {
      wake = call;
      return () => {
        wake = () => {};
      };
    };
    const here = await startEngine(store);
    const there = await startEngine(store, { clock: here.clock });
    const [one, other] = [await here.signIn(), await here.signIn()];
    const refused = async (accessToken: string) =>
      vi.waitFor(
        async () => expect(await codeOf(there.engine.authenticate(accessToken))).toBe("session_revoked"),
        10_000,
      );
    await here.engine.revokeByRefreshToken(one.refreshToken, "logout");
    wake();
    // While that reading is under way.
    await here.engine.revokeByRefreshToken(other.refreshToken, "logout");
    wake();
    await refused(one.accessToken);
    await refused(other.accessToken);
    expect(there.events.filter(({ type }) => type === "revocation_learned")).toEqual([
      { type: "revocation_learned", sessionId: one.session.id, lagMs: 0 },
      { type: "revocation_learned", sessionId: other.session.id, lagMs: 0 },
    ]);
  });

  test("a node whose view is stale says so, and reads the row where freshness is asked for", async () => {
    const store = createMemoryStore();
    const here = await startEngine(store);
    // Its wake-up call never comes.
    store.watchRevocations = () => () => {};
    const there = await startEngine(store, { clock: here.clock });
    const tokens = await here.signIn();
    await here.engine.revokeByRefreshToken(tokens.refreshToken, "logout");
    expect((await there.engine.getReadiness()).revocations).toBe(true);
    here.clock.advance(10_000);
    expect(await there.engine.getReadiness()).toEqual({ store: true, revocations: false });
    expect((await there.engine.authenticate(tokens.accessToken)).actorId).toBe(ACTOR);
    expect(await codeOf(there.engine.authenticate(tokens.accessToken, { fresh: true }))).toBe(
      "session_revoked",
    );
    const alive = await here.signIn();
    expect((await there.engine.authenticate(alive.accessToken, { fresh: true })).actorId).toBe(ACTOR);
  });

  test("a spent token still ends its session: sign-out after a lost answer", async () => {
    const store = createMemoryStore();
    const { engine, refresh, signIn } = await startEngine(store);
    const first = await signIn();
    const second = await issued(refresh(first.refreshToken));
    expect(await engine.revokeByRefreshToken(first.refreshToken, "logout")).toBe(true);
    expect(await codeOf(refresh(second.refreshToken))).toBe("refresh_token_revoked");
  });

  test("an access token ends its session until it expires; a foreign one ends nothing", async () => {
    const store = createMemoryStore();
    const { engine, signIn, clock } = await startEngine(store);
    const [tokens, old] = [await signIn(), await signIn()];
    clock.advance(898_000);
    expect(await engine.revokeByAccessToken(tokens.accessToken, "logout")).toBe(true);
    expect((await store.findSession(tokens.session.id))?.revokedReason).toBe("logout");
    clock.advance(2_000);
    expect(await codeOf(engine.authenticate(old.accessToken))).toBe("access_token_expired");
    expect(await engine.revokeByAccessToken(old.accessToken, "logout")).toBe(false);
    expect((await store.findSession(old.session.id))?.revokedAt).toBeNull();
    expect(await engine.revokeByAccessToken("a.b.c", "logout")).toBe(false);
    expect(await engine.revokeByRefreshToken("wsr1_nothing", "logout")).toBe(false);
  });

  test("an actor sees and ends own sessions only", async () => {
    const store = createMemoryStore();
    const { engine, signIn, clock } = await startEngine(store);
    const mine = await signIn();
    clock.advance(1_000);
    const alsoMine = await signIn();
    const theirs = await signIn("body", OTHER_ACTOR);
    expect((await engine.listSessions(ACTOR)).map(({ id }) => id)).toEqual([
      alsoMine.session.id,
      mine.session.id,
    ]);
    expect(await codeOf(engine.revokeSession(ACTOR, theirs.session.id))).toBe("not_found");
    expect(await codeOf(engine.revokeSession(ACTOR, "AAAAAAAAAAAAAAAAAAAAAA" as SessionId))).toBe(
      "not_found",
    );
    await engine.revokeSession(ACTOR, alsoMine.session.id);
    await engine.revokeSession(ACTOR, alsoMine.session.id);
    expect((await engine.listSessions(ACTOR)).map(({ id }) => id)).toEqual([mine.session.id]);
    expect((await engine.authenticate(theirs.accessToken)).actorId).toBe(OTHER_ACTOR);
  });

  test("all others, then all", async () => {
    const store = createMemoryStore();
    const { engine, signIn } = await startEngine(store);
    const sessions = [await signIn(), await signIn(), await signIn()];
    const [current] = sessions as [(typeof sessions)[number]];
    expect(await engine.revokeSessions(ACTOR, current.session.id)).toBe(2);
    expect(await codeOf(engine.authenticate(sessions[1]?.accessToken ?? ""))).toBe("session_revoked");
    expect((await engine.authenticate(current.accessToken)).sessionId).toBe(current.session.id);
    expect(await engine.revokeSessions(ACTOR, null)).toBe(1);
    expect(await engine.revokeSessions(ACTOR, null)).toBe(0);
    expect(await codeOf(engine.getSession(authenticated(current)))).toBe("session_revoked");
  });

  test("looking at a refresh token is not using it", async () => {
    const store = createMemoryStore();
    const { engine, refresh, signIn, clock, alarms } = await startEngine(store);
    const first = await signIn();
    expect((await engine.inspectRefreshToken(first.refreshToken)).generation).toBe(1);
    const second = await issued(refresh(first.refreshToken));
    expect(await codeOf(engine.inspectRefreshToken(first.refreshToken))).toBe("refresh_token_invalid");
    expect(await codeOf(engine.inspectRefreshToken("nonsense"))).toBe("refresh_token_invalid");
    const { engine: restored } = await startEngine(createMemoryStore());
    expect(await codeOf(restored.inspectRefreshToken(first.refreshToken))).toBe("refresh_token_invalid");
    expect(alarms()).toEqual([]);
    clock.advance(7 * 86_400_000);
    expect(await codeOf(engine.inspectRefreshToken(second.refreshToken))).toBe("refresh_token_expired");
    await engine.revokeByRefreshToken(second.refreshToken, "logout");
    expect(await codeOf(engine.inspectRefreshToken(second.refreshToken))).toBe("refresh_token_revoked");
  });

  test("a further access token for a live session only", async () => {
    const store = createMemoryStore();
    const { engine, signIn } = await startEngine(store);
    const { session } = await signIn();
    const token = await engine.issueAccessToken(session.id);
    expect((await engine.authenticate(token)).sessionId).toBe(session.id);
    await engine.revokeSessions(ACTOR, null);
    expect(await codeOf(engine.issueAccessToken(session.id))).toBe("session_revoked");
    expect(await codeOf(engine.issueAccessToken("AAAAAAAAAAAAAAAAAAAAAA" as SessionId))).toBe(
      "session_revoked",
    );
  });

  test("a challenge makes at most one session", async () => {
    const store = createMemoryStore();
    const { engine, clock } = await startEngine(store);
    const actor = { actorId: ACTOR, challenge: { id: "one and the same", expiresAt: clock.now() + 300_000 } };
    const client = { browser: null, os: null, device: null, ip: null };
    const attempts = Array.from({ length: 8 }, () => engine.signIn(actor, { transport: "body", client }));
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const codes = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
    expect(codes).toEqual(Array(7).fill("challenge_used"));
    expect(await engine.listSessions(ACTOR)).toHaveLength(1);
  });

  test("an alarm names the session and its device, for a week, and to its own actor alone", async () => {
    const { engine, refresh, signIn, clock } = await startEngine(createMemoryStore());
    const stolen = await signIn();
    await issued(refresh(stolen.refreshToken));
    clock.advance(1_000);
    expect(await codeOf(refresh(stolen.refreshToken))).toBe("refresh_token_reused");
    const signedOut = await signIn();
    await engine.revokeByRefreshToken(signedOut.refreshToken, "logout");
    const alarm = { sessionId: stolen.session.id, endedAt: clock.now(), client: stolen.session.client };
    expect(await engine.listAlarms(ACTOR)).toEqual([alarm]);
    expect(await engine.listAlarms(OTHER_ACTOR)).toEqual([]);
    clock.advance(7 * 86_400_000 - 1);
    expect(await engine.listAlarms(ACTOR)).toEqual([alarm]);
    clock.advance(1);
    expect(await engine.listAlarms(ACTOR)).toEqual([]);
  });

  test("what nobody can need any more is pruned in steps; what lives stays", async () => {
    const store = createMemoryStore();
    let prune = async () => {};
    const { signIn, clock, engine } = await startEngine(store, {
      every: (intervalMs, task) => {
        if (intervalMs === 600_000) prune = task;
        return () => {};
      },
    });
    const ended = await signIn();
    await engine.revokeByRefreshToken(ended.refreshToken, "logout");
    // As long as an access token lives, and an hour for nodes that were away.
    clock.advance(75 * 60_000);
    await prune();
    expect((await store.revocationsAfter(0, 10)).entries).toHaveLength(1);
    clock.advance(7 * 86_400_000 - 75 * 60_000);
    const living = await signIn();
    await prune();
    expect(await store.findSession(ended.session.id)).not.toBeNull();
    expect((await store.revocationsAfter(0, 10)).entries).toEqual([]);
    clock.advance(7 * 86_400_000 - 1_000);
    await prune();
    expect(await store.findSession(ended.session.id)).not.toBeNull();
    clock.advance(1_001);
    await prune();
    expect(await store.findSession(ended.session.id)).toBeNull();
    expect(await store.findSession(living.session.id)).not.toBeNull();
  });
});

function authenticated(tokens: { session: { id: SessionId; actorId: string } }) {
  return {
    sessionId: tokens.session.id,
    actorId: tokens.session.actorId,
    issuedAt: 0,
    accessExpiresAt: 0,
    authenticatedAt: 0,
    thumbprint: null,
    claims: {},
  };
}
