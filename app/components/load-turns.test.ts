import { expect, test } from "vitest";
import { LoadTurns } from "./use-loaded.ts";

interface Versioned {
  readonly version: number;
}

const newest = (news: Versioned) => (last: Versioned | null) =>
  last === null || last.version < news.version ? news : last;

test("of answers that overtake each other the one to the last question counts", () => {
  const turns = new LoadTurns<Versioned>();
  const first = turns.begin();
  const second = turns.begin();
  expect([turns.end(second), turns.end(first)]).toEqual([true, false]);
});

test("news that overtakes an answer is not undone by it, and an answer that is newer stands", () => {
  const turns = new LoadTurns<Versioned>();
  const turn = turns.begin();
  turns.learn(newest({ version: 6 }));
  expect(turns.end(turn)).toBe(true);
  expect(turns.withLearned({ version: 5 })).toEqual({ version: 6 });
  expect(turns.withLearned({ version: 7 })).toEqual({ version: 7 });
});

test("what was learned before the question is left to its answer", () => {
  const turns = new LoadTurns<Versioned>();
  turns.learn(newest({ version: 9 }));
  turns.begin();
  turns.learn(newest({ version: 9 }));
  turns.end(turns.begin());
  turns.learn(newest({ version: 9 }));
  expect(turns.withLearned({ version: 5 })).toEqual({ version: 5 });
});
