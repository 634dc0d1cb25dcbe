import { describe, expect, test } from "vitest";
import type { Adapter } from "./adapter.ts";
import { hasFailed, runConformance } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { createSmallServer, FAULTS, type Fault } from "./small-server.fixture.ts";

const effort = { rounds: 2, interleavings: 40, refreshes: 20 };
const names = SCENARIOS.map(({ name }) => name);

async function statuses(adapter: Adapter, ...only: string[]) {
  const results = await runConformance({ adapter, effort, ...(only.length > 0 && { only }) });
  return {
    results,
    statuses: Object.fromEntries(results.map(({ scenario, status }) => [scenario.name, status])),
  };
}

test("a sound server passes every scenario", async () => {
  const { results } = await statuses(createSmallServer());
  expect(
    results.map(({ scenario, status, finding, why }) => [scenario.name, status, finding?.holds, why]),
  ).toEqual(names.map((name) => [name, "holds", true, null]));
  expect(hasFailed(results)).toBe(false);
});

test("there is a broken server for each scenario", () => {
  expect(Object.keys(FAULTS).sort()).toEqual([...names].sort());
});

describe.each(Object.keys(FAULTS) as Fault[])("a server that breaks %s", (fault) => {
  test("fails that scenario", async () => {
    const { results } = await statuses(createSmallServer(fault), fault);
    expect(results.map(({ status, finding }) => [status, finding?.holds])).toEqual([["fails", false]]);
    expect(hasFailed(results)).toBe(true);
  });

  test("fails nothing that it does not claim, and is told what happened", async () => {
    const { results } = await statuses(
      { ...createSmallServer(fault), claims: {} },
      ...names.filter((name) => name !== "expired"),
    );
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["not-claimed"]));
    expect(hasFailed(results)).toBe(false);
  });
});

test("what the adapter has no step for is not tried", async () => {
  const { revoke: _, restart: __, breakStore: ___, storedRows: ____, ...five } = createSmallServer();
  const { statuses: seen } = await statuses(five);
  const untried = SCENARIOS.filter(({ needs }) => needs.length > 0).map(({ name }) => name);
  expect(Object.keys(seen).filter((name) => seen[name] === "cannot-be-tried")).toEqual(untried);
});

test("a server that cannot even sign in is an error, and no scenario holds", async () => {
  const signIn = () => Promise.reject(new Error("connection refused"));
  const { results } = await statuses({ ...createSmallServer(), signIn }, "two-tabs", "storage-growth");
  expect(results.map(({ status, why }) => [status, why])).toEqual([
    ["error", "connection refused"],
    ["error", "connection refused"],
  ]);
  expect(hasFailed(results)).toBe(true);
});

test("a restart that takes longer than the claim lasts asserts nothing", async () => {
  const server = createSmallServer();
  const restart = async () => {
    for (const until = performance.now() + 20; performance.now() < until; ) await Promise.resolve();
  };
  const claims = { ...server.claims, retry: { by: "token", withinMs: 5 } } as const;
  const { statuses: seen } = await statuses({ ...server, claims, restart }, "retry-after-restart");
  expect(seen).toEqual({ "retry-after-restart": "cannot-be-tried" });
});

test("where copies are claimed to be useless, a theft must leave the owner alone", async () => {
  const server = createSmallServer();
  const claims = { ...server.claims, theft: "copy-is-useless" } as const;
  const { statuses: seen } = await statuses({ ...server, claims }, "thief-after-owner", "delayed-duplicate");
  expect(seen).toEqual({ "thief-after-owner": "fails", "delayed-duplicate": "fails" });
  // A thief without the key gets nowhere.
  const stolenCopy = () => ({ refresh: "nothing", access: null });
  const { statuses: bound } = await statuses(
    { ...server, claims, stolenCopy },
    "thief-after-owner",
    "thief-first",
    "alternating-thief",
  );
  expect(new Set(Object.values(bound))).toEqual(new Set(["holds"]));
});
