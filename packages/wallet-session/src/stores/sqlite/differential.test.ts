import { test } from "vitest";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { compareWithMemory } from "../sql/differential.fixture.ts";
import { openSqliteStore } from "../sqlite.ts";

const newPath = temporaryDirectory();

test("any sequence of groups of steps has the outcomes and leaves the state that memory has", async () => {
  await compareWithMemory(() => openSqliteStore({ path: newPath("sessions.db") }), {
    largestGroup: 12,
    runs: 12,
  });
});
