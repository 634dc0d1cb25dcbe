import { FAILURES, type Failure, type FailureKind } from "./failures.ts";
import { type Plan, planOf } from "./plan.ts";
import { type Figures, runWorld } from "./world.ts";

/** What was found in several worlds. */
export interface Tally {
  worlds: number;
  readonly figures: Figures;
  /** How many of each kind. */
  readonly failures: Record<FailureKind, number>;
}

export interface Broken {
  readonly plan: Plan;
  readonly failure: Failure;
}

export function emptyTally(): Tally {
  const none = Object.fromEntries(Object.keys(FAILURES).map((kind) => [kind, 0]));
  const figures = {
    refreshed: 0,
    rotated: 0,
    unchanged: 0,
    guarded: 0,
    signedIn: 0,
    signOuts: 0,
    revoked: 0,
    alarms: 0,
    lost: 0,
    turns: 0,
    tabHours: 0,
  };
  return { worlds: 0, figures, failures: none as Record<FailureKind, number> };
}

export function addTo(sum: Tally, { worlds, figures, failures }: Tally): void {
  sum.worlds += worlds;
  for (const name of Object.keys(sum.figures) as (keyof Figures)[]) sum.figures[name] += figures[name];
  for (const kind of Object.keys(sum.failures) as FailureKind[]) sum.failures[kind] += failures[kind];
}

export interface WorldsOptions {
  /** World number i has the seed `SEED-i`. */
  readonly seed: string;
  readonly first?: number;
  readonly step?: number;
  readonly scale?: number;
  /** Whether to go on after these. */
  readonly goesOn: (tally: Tally) => boolean;
  readonly onBroken?: (broken: Broken) => void;
}

/** Runs one world after another. */
export async function runWorlds(options: WorldsOptions): Promise<Tally> {
  const { seed, first = 0, step = 1, scale, goesOn, onBroken } = options;
  const tally = emptyTally();
  for (let index = first; goesOn(tally); index += step) {
    const plan = planOf(`${seed}-${index}`, scale);
    const { failures, figures } = await runWorld(plan);
    addTo(tally, { worlds: 1, figures, failures: emptyTally().failures });
    for (const failure of failures) tally.failures[failure.kind] += 1;
    const [failure] = failures;
    if (failure !== undefined) onBroken?.({ plan, failure });
  }
  return tally;
}
