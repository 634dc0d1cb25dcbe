// The signing key changes on both of two processes while clients refresh all the time.
import { expect, test } from "vitest";
import { run } from "../../packages/wallet-session/src/cli/run.ts";
import { rollingServers } from "../support/rolling-servers.ts";

const { server, startLoad, roll, newestKeySigns } = rollingServers();

test("keys rotate: the new key is known everywhere before it signs", async () => {
  const load = await startLoad();
  await load.everybodyTwice();
  const { DATABASE_URL, AUTH_SECRET } = server().settings;
  const out: string[] = [];
  const code = await run(["keys", "rotate", "--json"], {
    env: { DATABASE_URL, AUTH_SECRET },
    out: (line) => out.push(line),
    note: () => {},
    confirm: async () => null,
  });
  expect(code).toBe(0);
  await roll(load);
  expect(load.keyIds.size).toBe(1);
  const kid = newestKeySigns();
  expect(JSON.parse(out.join("")).kid).toBe(kid);
  await roll(load);
  await load.stop();
  expect(load.keyIds).toContain(kid);
  expect(load.keyIds.size).toBe(2);
});
