import { expect, test } from "vitest";
import { createManualTimers } from "../engine/engine.fixture.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { boundConsole } from "./bound-console.ts";

function start() {
  const lines: unknown[][] = [];
  const log = {
    error: (...line: unknown[]) => lines.push(line),
    warn: (...line: unknown[]) => lines.push(line),
  };
  const { every, pass } = createManualTimers(createManualClock());
  boundConsole(log, every);
  return { log, pass, taken: () => lines.splice(0) };
}

/** Made in one place, whatever they say. */
const thrown = (message: string) => new TypeError(message);

test("of lines of one kind the first 50 in ten seconds are written, and then the number of the rest", async () => {
  const { log, pass, taken } = start();
  for (let asked = 1; asked <= 200; asked++) {
    log.error("⨯", thrown(`Failed to find Server Action "${asked}".`));
    log.warn(`A warning of another kind, and a stranger's words: ${asked}`);
  }
  log.error(new RangeError("made elsewhere"));
  const written = taken();
  expect(written).toHaveLength(101);
  expect(written[0]).toEqual([
    "⨯",
    expect.objectContaining({ message: 'Failed to find Server Action "1".' }),
  ]);
  expect(written.at(-1)).toEqual([expect.any(RangeError)]);
  await pass(10_000);
  expect(taken()).toEqual([
    [expect.stringMatching(/^150 more lines like this were left out: TypeError +at thrown /)],
    [expect.stringMatching(/^150 more lines like this were left out: A warning of another kind/)],
  ]);
  log.error("⨯", thrown("once more"));
  expect(taken()).toHaveLength(1);
  await pass(10_000);
  expect(taken()).toEqual([]);
});

test("kinds without end are one kind", () => {
  const { log, taken } = start();
  for (let kind = 0; kind < 5_000; kind++) log.error(`${kind} of a line`);
  expect(taken().length).toBeLessThanOrEqual(150);
});
