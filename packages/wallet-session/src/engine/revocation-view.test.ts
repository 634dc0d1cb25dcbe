import { expect, test, vi } from "vitest";
import type { SessionId } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { create, sessionId } from "../testing/store-conformance-fixtures.ts";
import { startEngine } from "./engine.fixture.ts";
import { createRevocationView } from "./revocation-view.ts";

const ACCESS_TTL = 900_000;

test("an entry is kept as long as an access token could live, and then forgotten", async () => {
  const clock = createManualClock();
  const view = createRevocationView({
    store: createMemoryStore(),
    clock,
    accessTtlMs: ACCESS_TTL,
    onEvent: () => {},
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 10_000) {
      clock.advance(Math.min(left, 10_000));
      await view.poll();
    }
  };
  await view.poll();
  view.add(sessionId("early"), "ended");
  await pass(60_000);
  view.add(sessionId("late"), "ended");
  // A clock that has leapt is an hour off, and the clocks of two nodes may be some seconds apart besides.
  await pass(ACCESS_TTL + 3_600_000 - 60_000);
  expect([view.has(sessionId("early")), view.has(sessionId("late"))]).toEqual([true, true]);
  await pass(5_000);
  expect([view.has(sessionId("early")), view.has(sessionId("late"))]).toEqual([false, true]);
});

test("a log of many pages is read to its end, by one reading for all who ask at once", async () => {
  const store = createMemoryStore();
  const { engine, signIn, clock } = await startEngine(store);
  const ids: string[] = [];
  for (let n = 0; n < 2_500; n += 1) ids.push((await signIn()).session.id);
  await engine.revokeSessions((await signIn()).session.actorId, null);
  let pages = 0;
  const counted = {
    revokeSession: () => Promise.reject(new Error("not asked for")),
    revocationsAfter: (position: number, limit: number) => {
      pages += 1;
      return store.revocationsAfter(position, limit);
    },
  };
  const view = createRevocationView({ store: counted, clock, accessTtlMs: ACCESS_TTL, onEvent: () => {} });
  expect([view.isLoaded(), view.isFresh()]).toEqual([false, false]);
  await Promise.all([view.poll(), view.poll(), view.poll()]);
  expect(ids.every((id) => view.has(id as SessionId))).toBe(true);
  expect(pages).toBe(3);
  expect([view.isLoaded(), view.isFresh()]).toEqual([true, true]);
});

test("what another process has revoked is reported once, with its lag; what was there before, and our own, is not", async () => {
  const store = createMemoryStore();
  // No wake-up: only the reading that the test asks for.
  store.watchRevocations = () => () => {};
  const clock = createManualClock();
  const other = await startEngine(store, { clock });
  const session = async () => (await other.signIn()).session;
  const [before, theirs, ours] = [await session(), await session(), await session()];
  await other.engine.revokeSession(before.actorId, before.id);
  const { engine, events } = await startEngine(store, { clock });
  await engine.revokeSession(ours.actorId, ours.id);
  await other.engine.revokeSession(theirs.actorId, theirs.id);
  clock.advance(700);
  await engine.start();
  await engine.start();
  expect(events.filter(({ type }) => type === "revocation_learned")).toEqual([
    { type: "revocation_learned", sessionId: theirs.id, lagMs: 700 },
  ]);
});

test("how old the view is, and how many leases there are", async () => {
  const { engine, signIn, clock } = await startEngine(createMemoryStore());
  const { session } = await signIn();
  const { accessToken } = await signIn();
  const follower = await engine.authenticate(accessToken);
  const ends = [follower, follower, { ...follower, sessionId: session.id }].map((one) =>
    engine.watchSession(one, () => {}),
  );
  clock.advance(3_000);
  expect(engine.getStats()).toEqual({ revocationViewAgeMs: 3_000, leases: 3, waitingEvents: null });
  for (const end of ends) end();
  await engine.start();
  expect(engine.getStats()).toEqual({ revocationViewAgeMs: 0, leases: 0, waitingEvents: null });
});

test("woken while a reading is under way, which may have passed what it is about, it reads once more, and only once", async () => {
  const store = createMemoryStore();
  const { id } = await create(store, "a");
  const clock = createManualClock();
  const held = Promise.withResolvers<void>();
  let readings = 0;
  const view = createRevocationView({
    store: {
      revokeSession: store.revokeSession,
      async revocationsAfter(position, limit) {
        readings += 1;
        const page = await store.revocationsAfter(position, limit);
        await held.promise;
        return page;
      },
    },
    clock,
    accessTtlMs: ACCESS_TTL,
    onEvent: () => {},
  });
  view.wake();
  await store.revokeSession(id, { reason: "ended", revokedAt: clock.now() });
  for (let call = 0; call < 3; call += 1) view.wake();
  held.resolve();
  await vi.waitFor(() => expect(view.has(id)).toBe(true), 10_000);
  await view.poll();
  expect(readings).toBe(3);
});
