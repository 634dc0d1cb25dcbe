import { expect, test } from "vitest";
import { killServers } from "../../../test/faults/kills.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { temporaryDatabase } from "./database.fixture.ts";

const database = temporaryDatabase();
const newPath = temporaryDirectory();

test("killed again and again under load, the server goes on where its clients are", async () => {
  const options = { url: database.url, directory: newPath("clients") };
  const { acknowledged, alarms, wrong } = await killServers({ ...options, seed: "kills", kills: 4 });
  expect({ alarms, wrong }).toEqual({ alarms: 0, wrong: [] });
  expect(acknowledged).toBeGreaterThan(0);
});
