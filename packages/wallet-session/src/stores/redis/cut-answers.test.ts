import { expect, test } from "vitest";
import { cutAnswers } from "../../../test/faults/cut-answers.ts";
import { openRedisStore } from "../redis.ts";
import { temporaryKeys } from "./server.fixture.ts";

const keys = temporaryKeys();

test("cut within an answer, the caller gets it or store_unavailable, and its retry goes on", async () => {
  const prefix = keys.newPrefix();
  const open = (url: string) => openRedisStore({ url, prefix, onWarning: () => {} });
  const { cuts, codes, wrong } = await cutAnswers({ databaseUrl: keys.url, open }, { back: 50, away: 150 });
  expect({ codes, wrong }).toEqual({ codes: ["none", "store_unavailable"], wrong: [] });
  expect(cuts).toBeGreaterThan(12);
});
