import { expect, test } from "vitest";
import { storesLine } from "./run-tests.ts";

test("says which stores were tested and which were not, where it was about stores", () => {
  const ran = (...files: string[]) => storesLine(files.map((moduleId) => ({ moduleId })));
  const at = (store: string) => `/x/packages/wallet-session/src/stores/${store}.test.ts`;
  expect(ran(...["memory", "sqlite", "postgres", "redis"].map(at))).toBe(
    "Stores in the conformance suite: memory, SQLite, PostgreSQL, Redis.",
  );
  expect(ran(at("memory"), "/x/a.test.ts")).toBe(
    "Stores in the conformance suite: memory. Not: SQLite, PostgreSQL, Redis.",
  );
  expect(ran("/x/a.test.ts", at("postgres/faults"))).toBeNull();
});
