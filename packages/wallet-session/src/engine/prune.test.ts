import { expect, test } from "vitest";
import type { PruneCounts } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { PRUNE_BATCH_ROWS, PRUNE_REST, prune } from "./prune.ts";

const NONE: PruneCounts = { sessions: 0, challenges: 0, revocations: 0, events: 0 };

test("prunes in batches until one is not full, and rests after each for longer than it took", async () => {
  const clock = createManualClock();
  const batches = [
    { tookMs: 40, counts: { ...NONE, sessions: PRUNE_BATCH_ROWS } },
    { tookMs: 5, counts: { ...NONE, sessions: 1, challenges: PRUNE_BATCH_ROWS } },
    { tookMs: 7, counts: { ...NONE, sessions: PRUNE_BATCH_ROWS - 1 } },
  ];
  const told: PruneCounts[] = [];
  const rests: number[] = [];
  const store = Object.assign(createMemoryStore(), {
    async prune() {
      const { tookMs = 0, counts = NONE } = batches[told.length] ?? {};
      clock.advance(tookMs);
      return counts;
    },
  });
  const rest = async (milliseconds: number) => void rests.push(milliseconds);
  await prune({ store, clock }, 900_000, (counts) => told.push(counts), rest);
  expect(told).toEqual(batches.map(({ counts }) => counts));
  expect(rests).toEqual([40 * PRUNE_REST, 5 * PRUNE_REST]);
});
