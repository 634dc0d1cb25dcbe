import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");
/** The entries that are promised: those under `internal/` are not. */
const ENTRIES = Object.keys(manifest.exports).filter(
  (entry) => entry !== "./package.json" && !entry.startsWith("./internal/"),
);

test("the README's table of imports has each entry of the package, and no other", () => {
  const listed = README.split("\n")
    .filter((line) => line.startsWith("| `wallet-session"))
    .flatMap((line) => line.split("|")[1]?.match(/`[^`]+`/g) ?? [])
    .map((name) => name.slice(1, -1));
  expect(listed.toSorted()).toEqual(ENTRIES.map((entry) => entry.replace(".", "wallet-session")).toSorted());
});
