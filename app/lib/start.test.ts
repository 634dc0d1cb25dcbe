import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startApp } from "./start.ts";

const GOOD = {
  AUTH_SECRET: "a secret of the start tests that is long enough",
  STELLAR_SIGNING_SEED: "SCZANGBA5YHTNYVVV4C3U252E2B6P6F5T3U6MM63WBSBZATAQI3EBTQ4",
  LOG_LEVEL: "silent",
};

const TRY_AGAIN_MS = 10;

/** What a start with these settings says when it gives up; nothing where it does not. */
async function start(settings: Record<string, string>): Promise<string[]> {
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  Object.assign(process.env, GOOD, settings);
  const said: string[] = [];
  await startApp((why) => said.push(why), TRY_AGAIN_MS);
  return said;
}

// In this order in one process: what has once been wired stays.
test("bad settings are named; a store that cannot be opened is said; one that does not answer is waited for; good ones start", async () => {
  const directory = mkdtempSync(join(tmpdir(), "streampay-start-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));

  const [bad = ""] = await start({ PORT: "none", AUTH_SECRET: "too short", SETTLEMENTS_PER_SECOND: "0" });
  expect(bad).toContain("PORT must be");
  expect(bad).toContain("AUTH_SECRET is not usable");
  expect(bad).toContain("SETTLEMENTS_PER_SECOND must be");
  expect(bad).not.toContain("too short");

  const good = { PORT: "3000", SETTLEMENTS_PER_SECOND: "100" };
  const [closed = ""] = await start({ ...good, DATABASE_URL: `sqlite:${directory}` });
  expect(closed).toMatch(/^The server cannot start: /);

  // What a real server does then, but for the end of this process.
  const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => void vi.restoreAllMocks());
  await startApp();
  expect(write).toHaveBeenCalledWith(`${closed}\n`);
  expect(exit).toHaveBeenCalledWith(1);

  // Nothing listens on this port.
  const STREAMS_DATABASE_URL = "postgres://someone:hunter2@127.0.0.1:1/none";
  const said = await start({ DATABASE_URL: "memory:", STREAMS_DATABASE_URL });
  expect(said).toEqual([]);
  const [note] = write.mock.lastCall ?? [];
  expect(note).toMatch(/^The store fails, and until it does not, requests are answered 503: .*ECONNREFUSED/);
  expect(note).not.toContain("hunter2");
  // It is tried again by itself, as the first time.
  process.env.STREAMS_DATABASE_URL = "mysql://127.0.0.1/none";
  await vi.waitFor(() => expect(said[0]).toContain("STREAMS_DATABASE_URL must be"), 10_000);

  expect(await start({ STREAMS_DATABASE_URL: "memory:" })).toEqual([]);
});
