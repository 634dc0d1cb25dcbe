import { describe, expect, test } from "vitest";
import type { SessionId } from "../session-id.ts";
import type { SessionStore } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import type { SessionEngineOptions } from "./create-session-engine.ts";
import { createManualTimers, issued, startEngine } from "./engine.fixture.ts";
import type { LeaseEvent } from "./lease-event.ts";
import type { IssuedTokens } from "./session-engine.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** An engine whose timers the test drives, on a clock that other engines may share. */
async function start(
  store: SessionStore = createMemoryStore(),
  options: Partial<SessionEngineOptions> = {},
  clock = createManualClock(),
) {
  const timers = createManualTimers(clock);
  const running = await startEngine(store, { clock, every: timers.every, ...options });

  /** Follows the session of these tokens; gives what its lease has told, as short words. */
  async function follow({ accessToken }: IssuedTokens) {
    const told: string[] = [];
    const session = await running.engine.authenticate(accessToken);
    const stop = running.engine.watchSession(session, (event) => told.push(words(event)));
    return { told, stop };
  }

  return { ...running, pass: timers.pass, follow };
}

function words(event: LeaseEvent): string {
  if (event.type === "outlived") return event.type;
  return event.type === "ended" ? `ended ${event.code}` : `${event.type} ${event.expiresInSeconds}`;
}

/** A store whose reads of a row can be failed or held up. */
function withReads(read: (find: SessionStore["findSession"]) => SessionStore["findSession"]): SessionStore {
  const store = createMemoryStore();
  const find = store.findSession.bind(store);
  store.findSession = read(find);
  return store;
}

describe("a lease", () => {
  test("is warned of a minute before its end, once, and ends two leeways after it", async () => {
    const { signIn, follow, pass } = await start(createMemoryStore());
    const { told } = await follow(await signIn("cookie"));
    await pass(14 * MINUTE - SECOND);
    expect(told).toEqual([]);
    await pass(SECOND);
    expect(told).toEqual(["expiring 60"]);
    await pass(2 * MINUTE - SECOND);
    expect(told).toEqual(["expiring 60"]);
    await pass(2 * SECOND);
    expect(told).toEqual(["expiring 60", "ended access_token_expired"]);
    await pass(20 * MINUTE);
    expect(told).toHaveLength(2);
  });

  test("goes on for as long as any tab renews the session", async () => {
    const { signIn, follow, refresh, pass } = await start(createMemoryStore());
    let tokens = await signIn();
    const { told } = await follow(tokens);
    for (let lifetime = 1; lifetime <= 5; lifetime += 1) {
      await pass(12 * MINUTE);
      tokens = await issued(refresh(tokens.refreshToken));
    }
    expect(told.filter((word) => word !== "outlived")).toEqual(
      Array.from({ length: 5 }, () => "renewed 900"),
    );
    await pass(14 * MINUTE + SECOND);
    expect(told.at(-1)).toMatch(/^expiring (59|60)$/);
    await issued(refresh(tokens.refreshToken));
    expect(told.at(-1)).toBe("renewed 900");
    await pass(14 * MINUTE + SECOND);
    expect(told.at(-1)).toMatch(/^expiring (59|60)$/);
  });

  test("says once that its access token and the grace are over, however often the session is renewed", async () => {
    const { signIn, follow, refresh, pass } = await start();
    let tokens = await signIn();
    const thiefs = await follow(tokens);
    await pass(12 * MINUTE);
    tokens = await issued(refresh(tokens.refreshToken));
    const owners = await follow(tokens);
    await pass(4 * MINUTE - SECOND);
    expect(thiefs.told).toEqual(["renewed 900"]);
    await pass(2 * SECOND);
    expect(thiefs.told).toEqual(["renewed 900", "outlived"]);
    tokens = await issued(refresh(tokens.refreshToken));
    await pass(12 * MINUTE - 2 * SECOND);
    expect(owners.told).toEqual(["renewed 900"]);
    await pass(2 * SECOND);
    expect(owners.told).toEqual(["renewed 900", "outlived"]);
    expect(thiefs.told.filter((word) => word === "outlived")).toHaveLength(1);
  });

  test("is not outlived by the fraction of a second that its token does not tell", async () => {
    const { clock, signIn, follow, pass } = await start();
    clock.advance(800);
    const { told } = await follow(await signIn());
    clock.advance(300);
    await pass(20 * MINUTE);
    expect(told).toEqual([expect.stringMatching(/^expiring/), "ended access_token_expired"]);
  });

  test("learns of a renewal by another process from the row, before it would warn", async () => {
    const store = createMemoryStore();
    const here = await start(store);
    const there = await start(store, {}, here.clock);
    const tokens = await here.signIn();
    const { told } = await here.follow(tokens);
    await here.pass(10 * MINUTE);
    const second = await issued(there.refresh(tokens.refreshToken));
    await here.pass(4 * MINUTE + SECOND);
    expect(told).toEqual([expect.stringMatching(/^renewed (659|660)$/)]);
    // After the warning too, and soon.
    await here.pass(10 * MINUTE);
    expect(told.at(-1)).toMatch(/^expiring (59|60)$/);
    await there.refresh(second.refreshToken);
    await here.pass(2 * SECOND);
    expect(told.at(-1)).toMatch(/^renewed 89\d$/);
  });

  test("ends at once with what ended the session here, and within a second for what did elsewhere", async () => {
    const store = createMemoryStore();
    const here = await start(store);
    const there = await start(store, {}, here.clock);
    for (const node of [here, there]) {
      const ended = await here.signIn();
      const signedOut = await here.signIn();
      const stolen = await here.signIn();
      const leases = await Promise.all([ended, signedOut, stolen].map(here.follow));
      await here.pass(SECOND);
      await node.engine.revokeSession(ended.session.actorId, ended.session.id);
      await node.engine.revokeByRefreshToken(signedOut.refreshToken, "logout");
      await node.refresh(stolen.refreshToken);
      await node.refresh(stolen.refreshToken).catch(() => {});
      if (node === there) await here.pass(SECOND);
      expect(leases.map(({ told }) => told.at(-1))).toEqual([
        "ended session_revoked",
        "ended session_revoked",
        "ended refresh_token_reused",
      ]);
      await here.pass(2 * SECOND);
      expect(leases.flatMap(({ told }) => told).filter((word) => word.startsWith("ended"))).toHaveLength(3);
    }
  });

  test("never outlives the absolute limit, nor the idle one", async () => {
    for (const limits of [
      { refreshAbsoluteTtlMs: 40 * SECOND },
      { refreshIdleTtlMs: 40 * SECOND, refreshAbsoluteTtlMs: DAY },
    ]) {
      const { signIn, follow, pass } = await start(createMemoryStore(), limits);
      const { told } = await follow(await signIn());
      await pass(39 * SECOND);
      expect(told).toEqual([expect.stringMatching(/^expiring \d+$/)]);
      await pass(2 * SECOND);
      expect(told.at(-1)).toBe("ended refresh_token_expired");
    }
  });

  test("says how the session stands, with the reason of its end", async () => {
    const { engine, signIn, clock, pass } = await start(createMemoryStore(), { refreshIdleTtlMs: MINUTE });
    const { session, refreshToken } = await signIn();
    const { createdAt, rotatedAt, idleExpiresAt, expiresAt } = session;
    expect(await engine.getSessionStatus(session.id)).toEqual({
      status: "live",
      createdAt,
      rotatedAt,
      idleExpiresAt,
      expiresAt,
    });
    await engine.revokeByRefreshToken(refreshToken, "reuse");
    const revoked = { status: "revoked", createdAt, reason: "reuse", revokedAt: clock.now() };
    expect(await engine.getSessionStatus(session.id)).toEqual(revoked);
    const idle = await signIn();
    await pass(MINUTE);
    expect(await engine.getSessionStatus(session.id)).toEqual(revoked);
    const expired = { status: "expired", createdAt: idle.session.createdAt };
    expect(await engine.getSessionStatus(idle.session.id)).toEqual(expired);
    expect(await engine.getSessionStatus("A".repeat(22) as SessionId)).toEqual({ status: "unknown" });
  });
});

test("a renewal puts the idle limit off as well", async () => {
  const { signIn, follow, refresh, pass } = await start(createMemoryStore(), {
    refreshIdleTtlMs: 40 * SECOND,
  });
  const tokens = await signIn();
  const { told } = await follow(tokens);
  await pass(31 * SECOND);
  await refresh(tokens.refreshToken);
  await pass(28 * SECOND);
  expect(told).toEqual([expect.stringMatching(/^expiring/), "renewed 40"]);
  await pass(13 * SECOND);
  expect(told.slice(2)).toEqual([expect.stringMatching(/^expiring/), "ended refresh_token_expired"]);
});

test("tokens of 20 s are warned of 5 s before their end", async () => {
  const { signIn, follow, pass } = await start(createMemoryStore(), { accessTtlMs: 20 * SECOND });
  const { told } = await follow(await signIn("cookie"));
  await pass(14 * SECOND);
  expect(told).toEqual([]);
  await pass(SECOND);
  expect(told).toEqual([expect.stringMatching(/^expiring [45]$/)]);
});

test("a jar that is left unchanged does not end what follows it", async () => {
  const { engine, signIn, follow, refresh, pass } = await start(createMemoryStore(), {
    accessTtlMs: 20 * SECOND,
  });
  const first = await signIn("cookie");
  const { told } = await follow(first);
  await pass(18 * SECOND);
  // Another tab opens with a token of its own; the jar is young now and so not renewed at the warning.
  const young = await engine.issueAccessToken(first.session.id);
  const jar = { by: "cookie", jar: young } as const;
  expect((await refresh(first.refreshToken, jar)).outcome).toBe("unchanged");
  await pass(8 * SECOND);
  expect(told).toEqual([expect.stringMatching(/^expiring/)]);
  expect((await refresh(first.refreshToken, { by: "cookie" })).outcome).toBe("rotated");
  expect(told.at(-1)).toBe("renewed 20");
});

test("a lost answer's retry renews the lease like any rotation", async () => {
  const { signIn, follow, refresh, pass } = await start();
  const first = await signIn();
  const { told } = await follow(first);
  const retryKey = "a-retry-key-of-enough-characters";
  await refresh(first.refreshToken, { retryKey });
  await pass(10 * MINUTE);
  expect((await refresh(first.refreshToken, { retryKey })).outcome).toBe("replayed");
  await pass(13 * MINUTE);
  expect(told.filter((word) => !word.startsWith("renewed"))).toEqual(["outlived"]);
});

test("a renewal within the second of the sign-in is told, once for all of its retries", async () => {
  const { clock, signIn, follow, refresh, pass } = await start();
  const first = await signIn();
  const { told } = await follow(first);
  clock.advance(300);
  const retryKey = "a-retry-key-of-enough-characters";
  const second = await issued(refresh(first.refreshToken, { retryKey }));
  clock.advance(100);
  await refresh(first.refreshToken, { retryKey });
  expect(told).toEqual(["renewed 900"]);
  clock.advance(100);
  await refresh(second.refreshToken);
  await pass(2 * SECOND);
  expect(told).toEqual(["renewed 900", "renewed 900"]);
});

test("an old token opens no shorter lease than the session has, and its opening ends nobody's", async () => {
  const { signIn, follow, refresh, pass } = await start();
  const first = await signIn();
  const early = await follow(first);
  await pass(10 * MINUTE);
  await refresh(first.refreshToken);
  const late = await follow(first);
  await pass(10 * MINUTE);
  expect(early.told).toEqual(["renewed 900", "outlived"]);
  expect(late.told).toEqual(["outlived"]);
});

test("who comes after the warning is warned as well; a newer token is news to the others", async () => {
  const { engine, signIn, follow, pass } = await start();
  const tokens = await signIn();
  const first = await follow(tokens);
  await pass(14 * MINUTE + 30 * SECOND);
  const second = await follow(tokens);
  await pass(2 * SECOND);
  expect(second.told).toEqual([expect.stringMatching(/^expiring (28|29)$/)]);
  const accessToken = await engine.issueAccessToken(tokens.session.id);
  const third = await follow({ ...tokens, accessToken });
  expect([first.told.at(-1), second.told.at(-1), third.told.length]).toEqual([
    "renewed 899",
    "renewed 899",
    0,
  ]);
});

test("a lease that was given up says nothing more, and nothing is read for it", async () => {
  let reads = 0;
  const store = withReads((find) => (id) => {
    reads += 1;
    return find(id);
  });
  const { engine, signIn, follow, pass } = await start(store);
  const tokens = await signIn();
  const gone = await follow(tokens);
  const there = await follow(tokens);
  gone.stop();
  await pass(SECOND);
  await engine.revokeByRefreshToken(tokens.refreshToken, "logout");
  expect([gone.told, there.told]).toEqual([[], ["ended session_revoked"]]);
  const alone = await follow(await signIn());
  await pass(SECOND);
  alone.stop();
  alone.stop();
  const before = reads;
  await pass(30 * MINUTE);
  expect(reads).toBe(before);
});

test("a session that was revoked between its check and its lease ends at once", async () => {
  const { engine, signIn } = await start();
  const tokens = await signIn();
  const session = await engine.authenticate(tokens.accessToken);
  await engine.revokeByRefreshToken(tokens.refreshToken, "reuse");
  const told: LeaseEvent[] = [];
  engine.watchSession(session, (event) => told.push(event));
  await new Promise(setImmediate);
  expect(told).toEqual([{ type: "ended", code: "refresh_token_reused" }]);
});

test("a listener that throws harms neither the others nor the one who revokes", async () => {
  const { engine, signIn, follow } = await start();
  const tokens = await signIn();
  engine.watchSession(await engine.authenticate(tokens.accessToken), () => {
    throw new Error("the tab's connection is gone");
  });
  const { told } = await follow(tokens);
  expect(await engine.revokeByRefreshToken(tokens.refreshToken, "logout")).toBe(true);
  expect(told).toEqual(["ended session_revoked"]);
});

test("a store that fails ends nothing before its time, warns all the same, and then ends what nobody renewed", async () => {
  const fault = { down: true };
  const store = withReads((find) => (id) => (fault.down ? Promise.reject(new Error("disk")) : find(id)));
  const { signIn, follow, pass } = await start(store);
  const failing = await follow(await signIn());
  await pass(14 * MINUTE + SECOND);
  expect(failing.told).toEqual([expect.stringMatching(/^expiring/)]);
  await pass(58 * SECOND);
  expect(failing.told).toHaveLength(1);
  await pass(3 * SECOND);
  expect(failing.told.at(-1)).toBe("ended access_token_expired");

  const mended = await follow(await signIn());
  await pass(14 * MINUTE + SECOND);
  fault.down = false;
  await pass(MINUTE + 30 * SECOND);
  expect(mended.told).toHaveLength(1);
});

test("a store that fails lets nothing outlive the absolute limit", async () => {
  const fault = { down: false };
  const store = withReads((find) => (id) => (fault.down ? Promise.reject(new Error("disk")) : find(id)));
  const { signIn, follow, pass } = await start(store, { refreshAbsoluteTtlMs: 10 * MINUTE });
  const { told } = await follow(await signIn());
  await pass(SECOND);
  fault.down = true;
  await pass(10 * MINUTE - 2 * SECOND);
  expect(told).toEqual([expect.stringMatching(/^expiring/)]);
  await pass(2 * SECOND);
  expect(told.at(-1)).toBe("ended access_token_expired");
});

test("a store that never answers holds up neither warning nor end, nor the news of a revocation", async () => {
  const store = withReads(() => () => new Promise(() => {}));
  const here = await start(store);
  const there = await start(store, {}, here.clock);
  const idle = await here.follow(await here.signIn());
  const tokens = await here.signIn();
  const stolen = await here.follow(tokens);
  await here.pass(3 * SECOND);
  await there.refresh(tokens.refreshToken);
  await there.refresh(tokens.refreshToken).catch(() => {});
  await here.pass(2 * SECOND);
  expect(stolen.told).toEqual(["ended session_revoked"]);
  await here.pass(14 * MINUTE);
  expect(idle.told).toEqual([expect.stringMatching(/^expiring/)]);
  await here.pass(MINUTE);
  expect(idle.told.slice(1)).toEqual(["ended access_token_expired"]);
});

test("a session whose row is gone is followed no longer", async () => {
  const { signIn, follow, pass } = await start(withReads(() => async () => null));
  const { told } = await follow(await signIn());
  await pass(SECOND);
  expect(told).toEqual(["ended session_revoked"]);
});

test("a row that was read before the end says nothing after it", async () => {
  let answer = () => {};
  const store = withReads((find) => async (id) => {
    const row = await find(id);
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return row;
  });
  const here = await start(store);
  const there = await start(store, {}, here.clock);
  const first = await here.signIn();
  const { told } = await here.follow(first);
  here.clock.advance(5 * MINUTE);
  const second = await issued(there.refresh(first.refreshToken));
  await here.pass(SECOND);
  await here.refresh(first.refreshToken).catch(() => {});
  answer();
  await new Promise(setImmediate);
  expect(told).toEqual(["ended refresh_token_reused"]);
  await here.refresh(second.refreshToken).catch(() => {});
  expect(told).toHaveLength(1);
});

test("after close nothing is told", async () => {
  const { engine, signIn, follow, pass } = await start();
  const { told } = await follow(await signIn());
  await engine.close();
  await pass(20 * MINUTE);
  expect(told).toEqual([]);
});
