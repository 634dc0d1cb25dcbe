import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../setup/root.mjs";
import { fullRuns, variantRuns } from "./runs.ts";

const home = join(root, "model");

function rulesIn(text: string): string[] {
  return [...new Set(text.match(/WITHOUT_[A-Z_]*[A-Z]/g))].sort();
}

const rulesOfTheModel = rulesIn(
  readdirSync(home)
    .filter((name) => name.endsWith(".pml"))
    .map((name) => readFileSync(join(home, name), "utf8"))
    .join("\n"),
);

test("each rule of the model is taken away in some run", () => {
  expect(
    rulesIn(
      variantRuns()
        .flatMap(({ macros }) => macros)
        .join(" "),
    ),
  ).toEqual(rulesOfTheModel);
});

test("each run of a variant has a world and a property", () => {
  const worlds = fullRuns(false).map(({ macros }) => macros[0]);
  const astray = variantRuns().filter(({ macros, fails }) => fails === null || !worlds.includes(macros[0]));
  expect(astray).toEqual([]);
});

test("model/README.md says of each rule what fails without it", () => {
  const text = readFileSync(join(home, "README.md"), "utf8");
  const rows = [...text.matchAll(/`(WITHOUT_\w+)` \| ([P\d, ]+) \|/g)];
  const told = rows.flatMap(([, rule, fails = ""]) =>
    fails
      .trim()
      .split(", ")
      .map((one) => `${rule} ${one}`),
  );
  const run = variantRuns().flatMap(({ name, fails }) => (fails === "P0" ? [] : [`${name} ${fails}`]));
  expect(told.sort()).toEqual(run.sort());
});
