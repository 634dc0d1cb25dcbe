import { test } from "vitest";
import { openPostgresStore } from "../postgres.ts";
import { compareWithMemory } from "../sql/differential.fixture.ts";
import { temporaryDatabase } from "./database.fixture.ts";

const database = temporaryDatabase();

test("any sequence of steps has the outcomes and leaves the state that memory has", async () => {
  const open = async () => openPostgresStore({ url: database.url, schema: await database.emptySchema() });
  await compareWithMemory(open, { largestGroup: 1, runs: 4 });
});
