import { expect, test } from "vitest";
import { createJarTokens } from "./jar-tokens.ts";

const SECOND = 1_000;

function openJar(leewaySeconds: number) {
  const clock = { ms: 0 };
  const tokens = createJarTokens({ now: () => clock.ms }, leewaySeconds * SECOND);
  /** An answer that took no time. */
  const fill = (sessionId: string, seconds: number) => tokens.filled(sessionId, seconds * SECOND, clock.ms);
  const at = (seconds: number) => {
    clock.ms = seconds * SECOND;
  };
  return { tokens, fill, at };
}

test("a jar that the server has left as it was is no younger for that", () => {
  const { tokens, fill, at } = openJar(3);
  fill("s", 20);
  at(5.9);
  fill("s", 14);
  expect(tokens.justFilled()).toBe(true);
  at(6.1);
  expect(tokens.justFilled()).toBe(false);
  fill("s", 20);
  expect(tokens.justFilled()).toBe(true);
});

test("a leeway longer than a quarter of the tokens' life is not believed", () => {
  const { tokens, fill } = openJar(30);
  expect(tokens.requestLimitMs()).toBe(10_000);
  fill("s", 20);
  expect(tokens.requestLimitMs()).toBe(5_000);
});

test("the short tokens at the end of a session shorten no request, neither its own nor the next one's", () => {
  const { tokens, fill, at } = openJar(30);
  fill("s", 900);
  at(890);
  fill("s", 2);
  expect(tokens.requestLimitMs()).toBe(10_000);
  fill("next", 1);
  expect(tokens.requestLimitMs()).toBe(1_000);
  fill("another", 900);
  expect(tokens.requestLimitMs()).toBe(10_000);
});

test("what is known of one session says nothing of the next one, nor of an empty jar", () => {
  const { tokens, fill } = openJar(30);
  fill("s", 900);
  tokens.found("other", 400 * SECOND, 0);
  expect([tokens.leftMs(), tokens.justFilled()]).toEqual([400_000, false]);
  tokens.emptied();
  expect([tokens.leftMs(), tokens.justFilled()]).toEqual([0, false]);
});

test("tokens are as old as the question that they answer", () => {
  const { tokens, at } = openJar(30);
  at(3_600);
  tokens.filled("s", 900 * SECOND, 0);
  expect([tokens.leftMs(), tokens.justFilled()]).toEqual([0, false]);
});
