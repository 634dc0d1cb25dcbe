import { expect, test, vi } from "vitest";
import { codeOf } from "../../testing/protocol-engine.ts";
import { crashWithoutTheTail, promoteTooEarly } from "./lost-writes.fixture.ts";

const LOSS = { sessions: 20, overMs: 600, lostMs: 300 };
const ALL_LOST = { sessions: 10, overMs: 10, lostMs: 10 };

test("a crash that loses the last of the append-only file signs some out, raises no alarm, and a retry goes on", async () => {
  const { signedOut, codes, retriesThatGoOn, alarms } = await crashWithoutTheTail(LOSS);
  expect(signedOut).toBeGreaterThan(0);
  expect(signedOut).toBeLessThan(LOSS.sessions);
  expect({ codes, alarms, retriesThatGoOn }).toEqual({
    codes: ["refresh_token_invalid"],
    alarms: 0,
    retriesThatGoOn: signedOut,
  });
});

test("a replica that is promoted without the last writes does the same", async () => {
  const { signedOut, codes, retriesThatGoOn, alarms } = await promoteTooEarly(LOSS);
  expect(signedOut).toBeGreaterThan(0);
  expect(signedOut).toBeLessThan(LOSS.sessions);
  expect({ codes, alarms, retriesThatGoOn }).toEqual({
    codes: ["refresh_token_invalid"],
    alarms: 0,
    retriesThatGoOn: signedOut,
  });
});

test("a revocation that such a replica has lost is put back by the node that remembers it", async () => {
  let token = "";
  const { alarms } = await promoteTooEarly(ALL_LOST, {
    async before({ signIn }) {
      token = (await signIn()).refreshToken;
    },
    async lost({ engine }) {
      await engine.revokeByRefreshToken(token, "logout");
      // Reads the log, as each node does once a second.
      await engine.start();
    },
    async promoted({ engine }) {
      const read = () => codeOf(engine.inspectRefreshToken(token));
      await vi.waitFor(async () => expect(await read()).toBe("refresh_token_revoked"), { timeout: 10_000 });
    },
  });
  expect(alarms).toBe(0);
});
