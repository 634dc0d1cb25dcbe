import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { isLost, isMistake as isPostgresMistake, isUndone } from "./databases/postgres.ts";
import { failsAlone, isBusy, isMistake as isSqliteMistake } from "./databases/sqlite.ts";
import { codeOf } from "./foreign-errors.ts";
import { describeFault } from "./logging/event-log.ts";

/** An error of another realm, as all of Node's are for code that Jest runs. */
function foreign(message: string, members: object = {}): unknown {
  const error: unknown = runInNewContext(`new Error(${JSON.stringify(message)})`);
  expect(error instanceof Error).toBe(false);
  return Object.assign(error as object, members);
}

test("an error of another realm has its code, and none that it does not have", () => {
  expect(codeOf(foreign("no such file", { code: "ENOENT" }))).toBe("ENOENT");
  expect([foreign("none"), foreign("a number", { code: 5 }), { code: "ENOENT" }, null].map(codeOf)).toEqual(
    Array(4).fill(""),
  );
});

test("its faults are told apart as any others are", () => {
  expect(isBusy(foreign("locked", { errcode: 5 }))).toBe(true);
  const diskFull = foreign("disk is full", { errcode: 13 });
  expect([isSqliteMistake(diskFull), failsAlone(diskFull)]).toEqual([false, false]);
  expect(isUndone(foreign("deadlock", { code: "40P01" }))).toBe(true);
  expect(isPostgresMistake(foreign("syntax", { code: "42601" }))).toBe(true);
  expect(isLost(foreign("gone", { code: "ECONNRESET" }))).toBe(true);
  expect(isLost(foreign("Connection terminated unexpectedly"))).toBe(true);
});

test("a log says what it is, and its cause", () => {
  const fault = foreign("fetch failed", { cause: foreign("refused", { code: "ECONNREFUSED" }) });
  expect(describeFault(fault)).toBe("Error: fetch failed <- Error [ECONNREFUSED]: refused");
});
