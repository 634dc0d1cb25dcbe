// A program that keeps its own tokens, over a bad network, killed and killed again. 10,000 refreshes of it:
// test/long/token-client.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { throughKills } from "../support/lossy-network.ts";

const app = appUnderTest(() => ({}), startServe);

test.each([
  ["with a retry key", false],
  ["with a DPoP key", true],
])(
  "%s, 100 refreshes over a network that loses requests and answers, through kill -9 of both ends: one signature",
  async (_, isBound) => {
    const directory = mkdtempSync(join(tmpdir(), "token-client-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const course = await throughKills(app.server, join(directory, "session.json"), {
      refreshes: 100,
      between: 25,
      ...(isBound && { keyFile: join(directory, "session.key") }),
    });
    expect(course).toMatchObject({ signatures: 1, others: [] });
    expect(course.refreshes).toBeGreaterThanOrEqual(100);
  },
);
