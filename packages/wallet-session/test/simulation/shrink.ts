import type { Failure } from "./failures.ts";
import type { Deed, Plan } from "./plan.ts";
import { runWorld } from "./world.ts";

/** Each takes a moment. */
const TRIES_MAX = 300;

/** Whether a plan still goes wrong. */
export type Fails = (plan: Plan) => Promise<boolean>;

/** Leaves out people, deeds and faults as long as the plan goes wrong without them. */
export async function shrink(plan: Plan, fails: Fails): Promise<Plan> {
  let smallest = plan;
  let tries = 0;
  const holds = async (candidate: Plan) => {
    tries += 1;
    if (tries > TRIES_MAX || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  const fewerPeople = (present: readonly number[]) => holds({ ...smallest, present });
  const fewerDeeds = (deeds: readonly Deed[]) => holds({ ...smallest, deeds });

  await fewest(smallest.present, fewerPeople);
  await fewerDeeds(smallest.deeds.filter((deed) => concerns(deed, smallest.present)));
  await fewest(smallest.deeds, fewerDeeds);
  for (const simpler of [{ mishaps: 0 }, { slowSteps: 0 }, { wakes: false }, { losesTail: false }]) {
    await holds({ ...smallest, setting: { ...smallest.setting, ...simpler } });
  }
  await fewest(smallest.present, fewerPeople);
  return smallest;
}

/** Takes out halves, then quarters, and so on. `isEnough` says whether fewer will do. */
async function fewest<T>(
  all: readonly T[],
  isEnough: (fewer: readonly T[]) => Promise<boolean>,
): Promise<void> {
  let left = all;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length; ) {
      const fewer = [...left.slice(0, at), ...left.slice(at + size)];
      if (await isEnough(fewer)) left = fewer;
      else at += size;
    }
  }
}

function concerns(deed: Deed, present: readonly number[]): boolean {
  switch (deed.kind) {
    case "person":
    case "weather":
      return present.includes(deed.who);
    case "thief":
      return present.includes(deed.victim);
    default:
      return true;
  }
}

/** The shortest story that was found of how a plan goes wrong in this way. */
export async function storyOf(plan: Plan, failure: Failure): Promise<string> {
  const fails: Fails = async (candidate) =>
    (await runWorld(candidate)).failures.some(({ kind }) => kind === failure.kind);
  const shortest = await shrink(plan, fails);
  const { people, present, deeds, setting } = shortest;
  const story: string[] = [];
  await runWorld(shortest, { tell: (words) => story.push(words) });
  return [
    `World ${plan.seed}: ${failure.kind}: ${failure.words}`,
    `Without what is not needed for it, ${present.length} of ${people.length} people and ${deeds.length} of ${plan.deeds.length} deeds are left.`,
    `Access tokens live ${setting.accessTtlMs / 1_000} s, the leeway is ${setting.leewayMs / 1_000} s, there are ${setting.nodes} nodes.`,
    ...story,
    `Again: npm run simulate -- --world ${plan.seed}`,
  ].join("\n");
}
