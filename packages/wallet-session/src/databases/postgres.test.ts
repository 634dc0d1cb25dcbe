import { expect, test } from "vitest";
import { isLost, isMistake, isUndone, readingInt8, retryAfterMs } from "./postgres.ts";

const coded = (code: string) => Object.assign(new Error("x"), { code });
const kindsOf = (error: unknown) => ({
  undone: isUndone(error),
  lost: isLost(error),
  mistake: isMistake(error),
});

test.each([
  ["undone", ["40001", "40P01"]],
  [
    "lost",
    ["08006", "57P01", "57P02", "57P03", "57P05", "53300", "25P03", "ECONNRESET", "ECONNREFUSED", "EPIPE"],
  ],
  ["mistake", ["21000", "22P02", "23505", "42601"]],
] as const)("codes that mean %s", (kind, codes) => {
  const expected = { undone: false, lost: false, mistake: false, [kind]: true };
  for (const code of codes) expect(kindsOf(coded(code)), code).toEqual(expected);
});

test("a timeout, a missing right and an error without a code are none of these", () => {
  const none = { undone: false, lost: false, mistake: false };
  for (const error of [coded("57014"), coded("42501"), new Error("Query read timeout"), "40001", null]) {
    expect(kindsOf(error)).toEqual(none);
  }
});

test("the words of pg for a lost connection, which have no code", () => {
  const words = [
    "Connection terminated",
    "Connection terminated unexpectedly",
    "Client has encountered a connection error and is not queryable",
  ];
  for (const message of words) expect(isLost(new Error(message)), message).toBe(true);
  expect(isLost(new Error("Connection terminated due to connection timeout"))).toBe(false);
});

test("the pause doubles with each try, and there are four tries", () => {
  expect([1, 2, 3, 4].map(retryAfterMs)).toEqual([25, 50, 100, null]);
});

test("8-byte integers are read as told, all else as before", () => {
  const usual = () => String;
  const { getTypeParser } = readingInt8(usual, BigInt);
  expect([getTypeParser(20), getTypeParser(25)]).toEqual([BigInt, String]);
});
