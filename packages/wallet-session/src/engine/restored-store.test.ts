import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { SessionEvent } from "../events.ts";
import type { SessionId } from "../session-id.ts";
import type { RevocationPage, SessionStore } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { openSqliteStore } from "../stores/sqlite.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { create, createMany, proofFailure, START } from "../testing/store-conformance-fixtures.ts";
import { ACTOR, codeOf, createManualTimers, startEngine } from "./engine.fixture.ts";
import { REASSERTIONS_PER_POLL } from "./revocation-memory.ts";
import {
  createRevocationView,
  REVOCATION_PAGE_ENTRIES,
  REVOCATION_VIEW_MAX_AGE_MS,
} from "./revocation-view.ts";

const ACCESS_TTL = 900_000;

/** A file that can be set back to what it held, under a process that goes on and notices nothing but that. */
function restorableStore() {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-restore-"));
  const [path, backup] = [join(directory, "sessions.db"), join(directory, "backup.db")];
  let current = openSqliteStore({ path });
  onTestFinished(async () => {
    await current.close();
    rmSync(directory, { recursive: true });
  });
  return {
    // The engine keeps its store; what is behind it is another.
    store: new Proxy({} as SessionStore, {
      get:
        (_, name: keyof SessionStore) =>
        (...args: unknown[]) =>
          Reflect.apply(current[name], current, args),
    }),
    /** Closed, a file is all that there is. */
    async backUp() {
      await current.close();
      copyFileSync(path, backup);
      current = openSqliteStore({ path });
    },
    async restore() {
      await current.close();
      copyFileSync(backup, path);
      current = openSqliteStore({ path });
    },
  };
}

function reasserted(events: readonly SessionEvent[]): number[] {
  return events.flatMap((event) => (event.type === "revocations_reasserted" ? [event.count] : []));
}

test("revocations that a restored store has lost are put back by a node that remembers them, and are heard of everywhere", async () => {
  const { store, backUp, restore } = restorableStore();
  const here = await startEngine(store);
  const timers = createManualTimers(here.clock);
  const node = await startEngine(store, { clock: here.clock, every: timers.every });
  const [kept, lost, alive] = [await node.signIn(), await node.signIn("cookie"), await node.signIn()];
  await node.engine.revokeByRefreshToken(kept.refreshToken, "logout");
  await timers.pass(1_000);
  await backUp();
  await node.engine.revokeByRefreshToken(lost.refreshToken, "ended");
  // Far longer ago than any access token lives.
  await timers.pass(2 * ACCESS_TTL);
  await restore();
  expect((await store.findSession(lost.session.id))?.revokedAt).toBeNull();

  await timers.pass(1_000);
  await vi.waitFor(() => expect(reasserted(node.events)).toEqual([1]), 10_000);
  expect(await store.findSession(lost.session.id)).toMatchObject({
    revokedAt: here.clock.now(),
    revokedReason: "ended",
  });
  expect((await store.findSession(kept.session.id))?.revokedReason).toBe("logout");
  expect((await store.findSession(alive.session.id))?.revokedAt).toBeNull();
  expect(await codeOf(node.refresh(lost.refreshToken, { by: "cookie" }))).toBe("refresh_token_revoked");
  // Once is enough.
  await timers.pass(5_000);
  expect(reasserted(node.events)).toEqual([1]);
});

test("a revocation that was put back is put back once more where the store comes back older again before it was read", async () => {
  const { store, backUp, restore } = restorableStore();
  const clock = createManualClock();
  const timers = createManualTimers(clock);
  const node = await startEngine(store, { clock, every: timers.every });
  const { refreshToken, session } = await node.signIn();
  await backUp();
  await node.engine.revokeByRefreshToken(refreshToken, "logout");
  await timers.pass(1_000);
  for (const times of [1, 2]) {
    await restore();
    expect((await store.findSession(session.id))?.revokedAt).toBeNull();
    // One reading, and none after it.
    await timers.pass(1_000);
    await vi.waitFor(() => expect(reasserted(node.events)).toEqual(Array(times).fill(1)), 10_000);
  }
});

test("a store that is older but whose log has grown again past the place is noticed by its last entry", async () => {
  const { store, backUp, restore } = restorableStore();
  const clock = createManualClock();
  const timers = createManualTimers(clock);
  const node = await startEngine(store, { clock, every: timers.every });
  const [lost, other] = [await node.signIn(), await node.signIn("body", "someone else")];
  await backUp();
  // By another node: this one has it from the log, which does not say why.
  await store.revokeSession(lost.session.id, { reason: "logout", revokedAt: clock.now() });
  await timers.pass(1_000);
  expect(await codeOf(node.engine.authenticate(lost.accessToken))).toBe("session_revoked");
  await restore();
  await store.revokeSession(other.session.id, { reason: "ended", revokedAt: clock.now() });
  await timers.pass(1_000);
  expect(await codeOf(node.engine.authenticate(other.accessToken))).toBe("session_revoked");
  await vi.waitFor(() => expect(reasserted(node.events)).toEqual([1]), 10_000);
  expect((await store.findSession(lost.session.id))?.revokedReason).toBe("admin");
});

test("a store that is older, and whose last position is that of a proof failure now, is noticed by the lack of the entry", async () => {
  const { store, backUp, restore } = restorableStore();
  const clock = createManualClock();
  const timers = createManualTimers(clock);
  const node = await startEngine(store, { clock, every: timers.every });
  const { session } = await node.signIn();
  await backUp();
  await store.revokeSession(session.id, { reason: "logout", revokedAt: clock.now() });
  await timers.pass(1_000);
  await restore();
  await store.noteProofFailure(proofFailure(session, clock.now()));
  await timers.pass(1_000);
  await vi.waitFor(() => expect(reasserted(node.events)).toEqual([1]), 10_000);
  expect((await store.findSession(session.id))?.revokedReason).toBe("admin");
  await timers.pass(3_000);
  expect(reasserted(node.events)).toEqual([1]);
});

test("positions that the log leaves out are no sign of an older store, and cost no further reading", async () => {
  const store = createMemoryStore();
  const sessions = await createMany(store, 4);
  const events: SessionEvent[] = [];
  let readings = 0;
  const clock = createManualClock();
  const view = createRevocationView({
    store: {
      revokeSession: store.revokeSession,
      revocationsAfter(position, limit) {
        readings += 1;
        return store.revocationsAfter(position, limit);
      },
    },
    clock,
    accessTtlMs: ACCESS_TTL,
    onEvent: (event) => events.push(event),
  });
  let polls = 0;
  const poll = async () => {
    for (let again = 0; again < 3; again += 1) await view.poll();
    polls += 3;
    expect(readings).toBe(polls);
  };
  const note = async () => {
    for (const session of sessions) await store.noteProofFailure(proofFailure(session, clock.now()));
    clock.advance(3_600_000);
  };
  await note();
  await poll();
  for (const [index, { id }] of sessions.entries()) {
    await store.revokeSession(id, { reason: "ended", revokedAt: clock.now() });
    // Its own, and those of other nodes.
    if (index % 2 === 0) view.add(id, "ended");
    for (const session of sessions) {
      await store.noteProofFailure({ ...proofFailure(session, clock.now()), since: clock.now() });
    }
    await poll();
    expect(view.has(id)).toBe(true);
    await note();
    await poll();
  }
  expect(reasserted(events)).toEqual([]);
  expect((await store.revocationsAfter(0, 10)).end).toBeGreaterThan(20);
});

test("a revocation that was lost before its node had read the log again is missed there, and put back", async () => {
  const { store, backUp, restore } = restorableStore();
  const clock = createManualClock();
  const timers = createManualTimers(clock);
  const node = await startEngine(store, { clock, every: timers.every });
  const [lost, kept] = [await node.signIn(), await node.signIn()];
  await backUp();
  await node.engine.revokeByRefreshToken(lost.refreshToken, "logout");
  await restore();
  await timers.pass(1_000);
  await vi.waitFor(() => expect(reasserted(node.events)).toEqual([1]), 10_000);
  expect((await store.findSession(lost.session.id))?.revokedReason).toBe("logout");
  // What has arrived is not missed.
  await node.engine.revokeByRefreshToken(kept.refreshToken, "logout");
  await timers.pass(3_000);
  expect(reasserted(node.events)).toEqual([1]);
});

test("a log that pruning has emptied is no sign of an older store", async () => {
  const clock = createManualClock();
  const timers = createManualTimers(clock);
  const store = createMemoryStore();
  const node = await startEngine(store, { clock, every: timers.every });
  await node.engine.revokeByRefreshToken((await node.signIn()).refreshToken, "logout");
  await timers.pass(2 * 3_600_000);
  expect((await store.revocationsAfter(0, 10)).entries).toEqual([]);
  await node.engine.revokeByRefreshToken((await node.signIn()).refreshToken, "logout");
  await timers.pass(2_000);
  expect(reasserted(node.events)).toEqual([]);
});

test("a fault in the middle is made good by the next readings, in steps, and the view is fresh meanwhile", async () => {
  const clock = createManualClock();
  const before = createMemoryStore();
  const after = createMemoryStore();
  const count = REASSERTIONS_PER_POLL + 5;
  for (let index = 0; index < count; index += 1) {
    for (const store of [before, after]) await create(store, `${index}`, { actorId: ACTOR });
  }
  await before.revokeActor(ACTOR, { reason: "ended", revokedAt: START }, null);
  let current = before;
  let faults = 0;
  const events: SessionEvent[] = [];
  const view = createRevocationView({
    store: {
      revocationsAfter: (position, limit) => current.revocationsAfter(position, limit),
      async revokeSession(id, revocation) {
        if (faults > 0) {
          faults -= 1;
          throw new Error("no connection");
        }
        return current.revokeSession(id, revocation);
      },
    },
    clock,
    accessTtlMs: ACCESS_TTL,
    onEvent: (event) => events.push(event),
  });
  await view.poll();
  current = after;
  faults = 1;
  await expect(view.poll()).rejects.toThrow("no connection");
  expect(view.isFresh()).toBe(true);
  await view.poll();
  expect(reasserted(events)).toEqual([]);
  expect(await after.countSessions(START)).toBeLessThan(10);
  await view.poll();
  expect(await after.countSessions(START)).toBe(0);
  expect(reasserted(events)).toEqual([count]);
});

test("a store that changes once more while it is read again makes no view fresh; the next reading does", async () => {
  const clock = createManualClock();
  const page = (ends: number, entries = 0): RevocationPage => ({
    entries: Array.from({ length: entries }, (_, n) => ({
      position: n + 1,
      sessionId: `${n}` as SessionId,
      revokedAt: START,
    })),
    position: entries,
    end: ends,
  });
  const full = REVOCATION_PAGE_ENTRIES;
  const pages = [page(5, 5), page(3), page(2 * full, full), page(full), page(full), page(full)];
  const view = createRevocationView({
    store: {
      revocationsAfter: async () => pages.shift() ?? page(full),
      revokeSession: async () => false,
    },
    clock,
    accessTtlMs: ACCESS_TTL,
    onEvent: () => {},
  });
  await view.poll();
  clock.advance(REVOCATION_VIEW_MAX_AGE_MS);
  await view.poll();
  expect([view.isFresh(), pages.length]).toEqual([false, 2]);
  await view.poll();
  expect([view.isFresh(), pages.length]).toEqual([true, 0]);
});

test("an own revocation that the log tells of before its answer has come is not missed", async () => {
  const store = createMemoryStore();
  const [{ id }, other] = [await create(store, "a"), await create(store, "b")];
  const events: SessionEvent[] = [];
  const view = createRevocationView({
    store,
    clock: createManualClock(),
    accessTtlMs: ACCESS_TTL,
    onEvent: (event) => events.push(event),
  });
  for (const session of [id, other.id]) {
    await store.revokeSession(session, { reason: "logout", revokedAt: START });
  }
  await view.poll();
  view.add(id, "logout");
  await view.poll();
  expect([view.has(id), reasserted(events)]).toEqual([true, []]);
});
