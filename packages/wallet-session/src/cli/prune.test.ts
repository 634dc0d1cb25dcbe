import { expect, test } from "vitest";
import { create } from "../testing/store-conformance-fixtures.ts";
import { storeInFile, type } from "./cli.fixture.ts";

const DAY = 86_400_000;

test("deletes all that nobody needs, in as many batches as it takes, and nothing else", async () => {
  const { env, store } = storeInFile();
  const ended = { idleExpiresAt: Date.now() - 8 * DAY, expiresAt: Date.now() };
  await Promise.all(Array.from({ length: 1_200 }, (_, index) => create(store, `s${index}`, ended)));
  await create(store, "live", { idleExpiresAt: Date.now() + DAY, expiresAt: Date.now() + DAY });
  expect(await type("prune", env)).toMatchObject({
    code: 0,
    out: [expect.stringMatching(/^Deleted 1,200 ended sessions, 1,201 used challenges, 0 old /)],
  });
  expect((await type("prune --json", env)).out).toEqual([
    '{"sessions":0,"challenges":0,"revocations":0,"events":0}',
  ]);
  expect(await store.countSessions(Date.now())).toBe(1);
});
