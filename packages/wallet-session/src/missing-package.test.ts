import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { missingPackage } from "./missing-package.ts";

const absent: string = "a-package-of-nobody";

test.each([
  ["import", async () => import(absent)],
  ["require, as bundlers do", async () => createRequire(import.meta.url)(absent)],
])("what is not there has to be installed: by %s", async (_, load) => {
  const cause = await load().catch((error: unknown) => error);
  expect(missingPackage("The store", absent, cause)).toMatch(
    /^The store needs the package a-package-of-nobody, which is not where this server runs: npm install a-/,
  );
});

test.each([new Error("ENOEXEC"), "nonsense", null])("what is there and fails need not be: %s", (cause) => {
  expect(missingPackage("The store", "pg", cause)).toBe(
    "The store needs the package pg, which fails to load",
  );
});
