// The protocol itself: its model, worlds of people, faults and thieves, and thefts of bound sessions.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { playThefts } from "../../packages/wallet-session/src/engine/thefts.fixture.ts";
import { FAILURES, type FailureKind } from "../../packages/wallet-session/test/simulation/failures.ts";
import { fullRuns, type Run, variantRuns } from "../model/runs.ts";
import { missingProgram, runAll } from "../model/spin.ts";
import { simulateOnAllCores } from "../simulate/shares.ts";
import type { Part, Proof } from "./part.ts";

/** About two minutes on two cores. `npm run simulate` takes any number. */
const REFRESHES = 250_000;
const THEFTS = 100_000;

export const model: Part = async ({ tell }) => {
  const missing = await missingProgram();
  if (missing !== null) tell(`The model is not checked: there is no ${missing}.`);
  const directory = mkdtempSync(join(tmpdir(), "prove-model-"));
  try {
    const nameOf = ({ name, world }: Run) => `${name} (${world})`;
    const proofs: Proof[] = [];
    for (const [what, runs] of [
      ["model: worlds in which all rules hold", fullRuns(false)],
      ["model: rules without each of which a property fails", variantRuns()],
    ] as const) {
      const failed = missing === null ? (await runAll(runs, directory)).map(nameOf) : ["not checked"];
      proofs.push({ what, tried: runs.length, failed, ours: true });
    }
    return proofs;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

export const simulation: Part = async ({ tell }) => {
  const seed = String(Date.now());
  tell(`Simulated worlds: --seed ${seed}`);
  const { tally, isWhole } = await simulateOnAllCores(REFRESHES, seed);
  const kinds = Object.entries(tally.failures).filter(([, count]) => count > 0);
  const failed = kinds.map(([kind, count]) => `${FAILURES[kind as FailureKind]}: ${count}`);
  if (!isWhole) failed.push("a process did not come to its end");
  return [
    {
      what: "simulation: refreshes of browsers and programs",
      tried: tally.figures.refreshed,
      failed,
      ours: true,
    },
    { what: "simulation: hours of tabs", tried: Math.floor(tally.figures.tabHours), failed: [], ours: true },
  ];
};

export const thefts: Part = async () => {
  const proofs: Proof[] = [];
  for (const kind of ["dpop", "device"] as const) {
    const { tried, accepted, sessionsEnded, untold } = await playThefts(kind, THEFTS);
    const failed = Object.entries({ accepted, "sessions ended": sessionsEnded, "owners not told": untold });
    proofs.push({
      what: `thefts of sessions that are bound to a ${kind === "dpop" ? "DPoP" : "device"} key`,
      tried,
      failed: failed.flatMap(([name, count]) => (count > 0 ? [`${name}: ${count}`] : [])),
      ours: true,
    });
  }
  return proofs;
};
