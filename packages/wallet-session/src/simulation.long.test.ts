import { expect, test } from "vitest";
import { storyOf } from "../test/simulation/shrink.ts";
import { type Broken, runWorlds } from "../test/simulation/worlds.ts";

/** New ones: `npm run simulate`. */
const SEED = "2";
const REFRESHES = 40_000;

test("no session forks, lives on after its end, or ends by mistake in many worlds", async () => {
  const broken: Broken[] = [];
  await runWorlds({
    seed: SEED,
    goesOn: ({ figures }) => figures.refreshed < REFRESHES && broken.length === 0,
    onBroken: (one) => broken.push(one),
  });
  for (const { plan, failure } of broken) expect.fail(await storyOf(plan, failure));
}, 900_000);
