import type { Adapter } from "./adapter.ts";
import type { Result, Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { createStage, type Effort, NotTried } from "./stage.ts";

const DEFAULT_EFFORT: Effort = { rounds: 10, interleavings: 200, refreshes: 200 };
/** Only stops what hangs. */
const SCENARIO_LIMIT_MS = 300_000;

export interface RunOptions {
  readonly adapter: Adapter;
  /** Names of scenarios; all by default. */
  readonly only?: readonly string[];
  readonly effort?: Partial<Effort>;
  /** Told of each result as it comes. */
  readonly onResult?: (result: Result) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/** Plays the scenarios against the server, one after the other. Rejects for nothing that the server does. */
export async function runConformance(options: RunOptions): Promise<Result[]> {
  const { adapter, only, effort = {}, onResult, now = () => performance.now() } = options;
  const stage = createStage(adapter, { ...DEFAULT_EFFORT, ...effort });
  const results: Result[] = [];
  for (const scenario of SCENARIOS) {
    if (only !== undefined && !only.includes(scenario.name)) continue;
    const began = now();
    const outcome = await outcomeOf(scenario, adapter, () => withinLimit(scenario.play(stage)));
    const result = { scenario, ...outcome, milliseconds: Math.round(now() - began) };
    results.push(result);
    onResult?.(result);
  }
  return results;
}

/** A claimed scenario did not hold, or could not be judged. */
export function hasFailed(results: readonly Result[]): boolean {
  return results.some(({ status }) => status === "fails" || status === "error");
}

async function outcomeOf(
  { claims, needs }: Scenario,
  adapter: Adapter,
  play: () => ReturnType<Scenario["play"]>,
): Promise<Omit<Result, "scenario" | "milliseconds">> {
  const missing = needs.filter((step) => adapter[step] === undefined);
  if (missing.length > 0) {
    return { status: "cannot-be-tried", finding: null, why: `the adapter has no ${missing.join(", ")}` };
  }
  const unclaimed = claims.filter(
    (claim) => adapter.claims[claim] === undefined || adapter.claims[claim] === false,
  );
  const claimed = unclaimed.length === 0;
  try {
    const finding = await play();
    if (claimed) return { status: finding.holds ? "holds" : "fails", finding, why: null };
    return { status: "not-claimed", finding, why: `the server does not claim ${unclaimed.join(", ")}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof NotTried) return { status: "cannot-be-tried", finding: null, why };
    return { status: claimed ? "error" : "not-claimed", finding: null, why };
  }
}

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no end after ${SCENARIO_LIMIT_MS / 1000} s`)),
      SCENARIO_LIMIT_MS,
    );
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
