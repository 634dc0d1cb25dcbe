import { openPostgresStore } from "../postgres.ts";
import { testTwoNodes } from "../two-nodes.fixture.ts";
import { temporaryDatabase } from "./database.fixture.ts";

const database = temporaryDatabase();

testTwoNodes(() => {
  const options = { url: database.url, schema: database.newSchema() };
  return [openPostgresStore(options), openPostgresStore(options)];
});
