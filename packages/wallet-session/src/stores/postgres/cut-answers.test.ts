import { expect, test } from "vitest";
import { cutAnswers } from "../../../test/faults/cut-answers.ts";
import { openPostgresStore } from "../postgres.ts";
import { temporaryDatabase } from "./database.fixture.ts";

const database = temporaryDatabase();

test("cut within an answer, the caller gets it or store_unavailable, and its retry goes on", async () => {
  const schema = database.newSchema();
  const open = (url: string) => openPostgresStore({ url, schema });
  const { cuts, codes, wrong } = await cutAnswers(
    { databaseUrl: database.url, open },
    { back: 100, away: 300 },
  );
  expect({ codes, wrong }).toEqual({ codes: ["none", "store_unavailable"], wrong: [] });
  expect(cuts).toBeGreaterThan(12);
});
