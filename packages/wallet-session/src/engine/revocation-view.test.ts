import { expect, test } from "vitest";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { startEngine } from "./engine.fixture.ts";
import { createRevocationView } from "./revocation-view.ts";

const ACCESS_TTL = 900_000;

test("an entry is kept as long as an access token could live, and then forgotten", async () => {
  const clock = createManualClock();
  const view = createRevocationView({ store: createMemoryStore(), clock, accessTtlMs: ACCESS_TTL });
  view.add("early");
  clock.advance(60_000);
  view.add("late");
  clock.advance(ACCESS_TTL - 60_000);
  await view.poll();
  expect([view.has("early"), view.has("late")]).toEqual([true, true]);
  // The clocks of two nodes may be some seconds apart.
  clock.advance(5_000);
  await view.poll();
  expect([view.has("early"), view.has("late")]).toEqual([false, true]);
});

test("a log of many pages is read to its end, by one reading for all who ask at once", async () => {
  const store = createMemoryStore();
  const { engine, signIn, clock } = await startEngine(store);
  const ids: string[] = [];
  for (let n = 0; n < 2_500; n += 1) ids.push((await signIn()).session.id);
  await engine.endSessions((await signIn()).session.actorId, null);
  let pages = 0;
  const counted = {
    revocationsAfter: (position: number, limit: number) => {
      pages += 1;
      return store.revocationsAfter(position, limit);
    },
  };
  const view = createRevocationView({ store: counted, clock, accessTtlMs: ACCESS_TTL });
  expect([view.isLoaded(), view.isFresh()]).toEqual([false, false]);
  await Promise.all([view.poll(), view.poll(), view.poll()]);
  expect(ids.every((id) => view.has(id))).toBe(true);
  expect(pages).toBe(3);
  expect([view.isLoaded(), view.isFresh()]).toEqual([true, true]);
});
