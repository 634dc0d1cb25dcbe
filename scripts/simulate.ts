// npm run simulate -- --refreshes 10000000 [--seed N]: lives through worlds of faults and thieves, on all cores, and prints what
// was wrong in them (packages/wallet-session/test/simulation).
// npm run simulate -- --world SEED: one world; where it goes wrong, the shortest story of how.
import { parseArgs } from "node:util";
import { FAILURES } from "../packages/wallet-session/test/simulation/failures.ts";
import { planOf } from "../packages/wallet-session/test/simulation/plan.ts";
import { storyOf } from "../packages/wallet-session/test/simulation/shrink.ts";
import { runWorld } from "../packages/wallet-session/test/simulation/world.ts";
import { runWorlds, type Tally } from "../packages/wallet-session/test/simulation/worlds.ts";
import { simulateOnAllCores } from "./simulate/shares.ts";

const { values: asked } = parseArgs({
  options: {
    refreshes: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    world: { type: "string" },
    /** Of a process that takes a share of the worlds: its number, and how many there are. */
    share: { type: "string" },
  },
});

if (asked.world !== undefined) await tellOf(asked.world);
else if (asked.share !== undefined) await takeShare(asked.share);
else await simulate();

async function tellOf(seed: string): Promise<void> {
  const plan = planOf(seed);
  const { failures, figures } = await runWorld(plan);
  const [failure] = failures;
  console.log(failure === undefined ? figures : await storyOf(plan, failure));
  if (failure !== undefined) process.exitCode = 1;
}

async function takeShare(share: string): Promise<void> {
  const [first = 0, step = 1] = share.split("/").map(Number);
  const tally = await runWorlds({
    seed: asked.seed,
    first,
    step,
    goesOn: ({ figures }) => figures.refreshed < Number(asked.refreshes),
    onBroken: ({ plan, failure }) => console.log(`World ${plan.seed}: ${failure.kind}: ${failure.words}`),
  });
  process.send?.(tally);
}

async function simulate(): Promise<void> {
  const begun = performance.now();
  const { tally, isWhole } = await simulateOnAllCores(Number(asked.refreshes), asked.seed);
  print(tally, (performance.now() - begun) / 1_000);
  const isWrong = Object.values(tally.failures).some((count) => count > 0) || !isWhole;
  process.exitCode = isWrong ? 1 : 0;
}

function print({ worlds, figures, failures }: Tally, seconds: number): void {
  const line = (name: string, value: number) =>
    console.log(`${name.padEnd(40)} ${Math.round(value).toLocaleString("en").padStart(14)}`);
  line("worlds", worlds);
  line("refreshes", figures.refreshed);
  line("requests and answers lost", figures.lost);
  line("hours of tabs", figures.tabHours);
  line("sign-ins", figures.signedIn);
  line("sign-outs", figures.signOuts);
  line("thefts that raised an alarm", figures.alarms);
  for (const [kind, name] of Object.entries(FAILURES)) line(name, failures[kind as keyof typeof failures]);
  line("seconds", seconds);
  line("refreshes a second", figures.refreshed / seconds);
}
