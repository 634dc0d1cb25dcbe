import { expect, onTestFinished, test } from "vitest";
import { killServers } from "../../../test/faults/kills.ts";
import { temporaryDirectory } from "../../../test/temporary-directory.ts";
import { startOwnServer } from "./own-server.fixture.ts";

const newPath = temporaryDirectory();

test("killed again and again under load, and Redis with it, the server goes on where its clients are", async () => {
  const redis = await startOwnServer("--appendonly", "yes", "--appendfsync", "always");
  onTestFinished(() => redis.end());
  const meanwhile = () => redis.kill().then(redis.start);
  const options = { url: redis.url, directory: newPath("clients"), meanwhile };
  const { acknowledged, alarms, wrong } = await killServers({ ...options, seed: "kills", kills: 4 });
  expect({ alarms, wrong }).toEqual({ alarms: 0, wrong: [] });
  expect(acknowledged).toBeGreaterThan(0);
});
