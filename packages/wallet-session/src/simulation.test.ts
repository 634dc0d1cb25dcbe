import { expect, test } from "vitest";
import { type Plan, planOf } from "../test/simulation/plan.ts";
import { shrink, storyOf } from "../test/simulation/shrink.ts";
import { runWorld } from "../test/simulation/world.ts";
import { type Broken, runWorlds } from "../test/simulation/worlds.ts";

/** The same worlds each time. `simulation.long.test.ts` tries more of them. */
const SEED = "1";

test("in worlds of faults and thieves no session forks, lives on after its end, or ends by mistake", async () => {
  const broken: Broken[] = [];
  await runWorlds({
    seed: SEED,
    scale: 0.3,
    goesOn: ({ worlds }) => worlds < 5 && broken.length === 0,
    onBroken: (one) => broken.push(one),
  });
  for (const { plan, failure } of broken) expect.fail(await storyOf(plan, failure));
});

test.each(["1", "23"])("world %s takes the same course each time, turn by turn", async (seed) => {
  const course = async () => {
    const lines: string[] = [];
    const take = (line: string) => void lines.push(line);
    await runWorld(planOf(seed, 0.2), { tell: take, trace: take });
    return lines;
  };
  const first = await course();
  expect(first.length).toBeGreaterThan(1_000);
  expect(await course()).toEqual(first);
});

test("a plan that goes wrong is shrunk to what it takes", async () => {
  const plan = planOf(SEED);
  const isThief = (one: Plan["deeds"][number]) => one.kind === "thief" && one.does === "copies";
  const { present, deeds, setting } = await shrink(
    plan,
    async (candidate) =>
      candidate.deeds.some(isThief) && candidate.present.includes(5) && candidate.present.includes(17),
  );
  expect(present).toEqual([5, 17]);
  expect(deeds).toHaveLength(1);
  expect(deeds.every(isThief)).toBe(true);
  expect(setting.mishaps).toBe(0);
});
