// npm run prove [-- --peers] [--out DIR]: tries what the documents promise, part by part, and prints one table of what was
// tried, how often, and what failed. --peers tries other servers too; what fails there fails nothing here. --out keeps the
// results as JSON and JUnit.
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { attacker } from "./prove/attacker.ts";
import { clocks, cutConnections, kills, powerCuts } from "./prove/below.ts";
import { mutants } from "./prove/mutants.ts";
import type { Part, Proof } from "./prove/part.ts";
import { model, simulation, thefts } from "./prove/protocol.ts";
import { refreshOfOthers, refreshOfOurs } from "./prove/refresh.ts";

const { values } = parseArgs({ options: { peers: { type: "boolean" }, out: { type: "string" } } });
const PARTS: readonly Part[] = [
  refreshOfOurs,
  ...(values.peers === true ? [refreshOfOthers] : []),
  model,
  simulation,
  thefts,
  powerCuts,
  cutConnections,
  kills,
  clocks,
  attacker,
  mutants,
];

// The servers that it has started end with it.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
if (values.out !== undefined) mkdirSync(values.out, { recursive: true });
const proofs: Proof[] = [];
for (const part of PARTS) proofs.push(...(await part({ tell: console.log, out: values.out ?? null })));
print(proofs);
process.exit(proofs.some(({ ours, failed }) => ours && failed.length > 0) ? 1 : 0);

function print(proofs: readonly Proof[]): void {
  const rows = [
    ["WHAT WAS TRIED", "HOW OFTEN", "WHAT FAILED"],
    ...proofs.map(({ what, tried, failed }) => [
      what,
      tried.toLocaleString("en-US"),
      failed.join(", ") || "nothing",
    ]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
}
