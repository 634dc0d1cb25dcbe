import { test } from "vitest";
import { openRedisStore } from "../redis.ts";
import { compareWithMemory } from "../sql/differential.fixture.ts";
import { temporaryKeys } from "./server.fixture.ts";

const keys = temporaryKeys();

test("any sequence of steps has the outcomes and leaves the state that memory has", async () => {
  const open = () => openRedisStore({ url: keys.url, prefix: keys.newPrefix(), onWarning: () => {} });
  await compareWithMemory(open, { largestGroup: 1, runs: 5 });
});
