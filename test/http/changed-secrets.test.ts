// AUTH_SECRET changes on both of two processes while clients refresh all the time.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { rollingServers } from "../support/rolling-servers.ts";

const { server, startLoad, roll, newestKeySigns } = rollingServers();

test("AUTH_SECRET: the new one behind, then in front, then alone", async () => {
  const load = await startLoad();
  const [before] = server().settings.AUTH_SECRET?.split(",") ?? [];
  const after = randomBytes(48).toString("base64url");
  await load.everybodyTwice();
  await roll(load, { AUTH_SECRET: `${before},${after}` });
  await roll(load, { AUTH_SECRET: `${after},${before}` });
  const kid = newestKeySigns();
  await roll(load);
  await roll(load, { AUTH_SECRET: after });
  await load.stop();
  expect(load.keyIds).toContain(kid);
  expect(load.keyIds.size).toBe(2);
});
