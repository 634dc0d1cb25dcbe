// Faults below the engine: power, disks, connections, processes, clocks.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildDisk } from "../../packages/wallet-session/test/faults/disk.ts";
import {
  type AfterPowerCuts,
  cutPower,
  type PowerCuts,
} from "../../packages/wallet-session/test/faults/power-cuts.ts";
import type { Part, Proof } from "./part.ts";

const LIVES = { seed: "prove", lives: 10, cutsOfEach: 5, questions: 1_500 };
const ONE_LIFE = { lives: 1, questions: 300, keeps: [0] } as const;

/** Each line, and whether answers must be lost: by settings that risk them, so that the cuts are shown to cut. */
const POWER: readonly (Partial<PowerCuts> & { readonly what: string; readonly loses: boolean })[] = [
  { what: "power cuts on SQLite", loses: false },
  {
    what: "power cuts on SQLite after a full disk and failed writes and syncs",
    faults: ["full disk", "no write succeeds", "no sync succeeds"],
    loses: false,
  },
  {
    what: "power cuts with synchronous=OFF, found to lose answers",
    synchronous: "OFF",
    ...ONE_LIFE,
    loses: true,
  },
  {
    what: "power cuts with synchronous=NORMAL, found to lose answers",
    synchronous: "NORMAL",
    ...ONE_LIFE,
    loses: true,
  },
];

export const powerCuts: Part = async ({ tell }) => {
  const directory = mkdtempSync(join(tmpdir(), "power-"));
  const proofs: Proof[] = [];
  try {
    const library = await buildDisk(directory);
    for (const { what, loses, ...options } of POWER) {
      const after = await cutPower({ ...LIVES, library, directory, ...options });
      tell(`${what}: ${after.acknowledged} answers held against ${after.cuts} disks.`);
      proofs.push({ what, tried: after.cuts, failed: failedIn(after, loses), ours: true });
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return proofs;
};

function failedIn({ lost, refusals, alarms }: AfterPowerCuts, loses: boolean): string[] {
  if (loses) return lost.length === 0 ? ["nothing was lost"] : [];
  const wrong = refusals.filter((code) => code !== "store_unavailable");
  return [...lost, ...new Set(wrong), ...(alarms === 0 ? [] : [`${alarms} alarms`])];
}
