import { expect, test } from "vitest";
import {
  deviceChromium,
  noBrowser,
  noCompiler,
  noDeviceBrowser,
  noPostgres,
  noRedis,
  startRedisWhereNoneAnswers,
} from "./services.ts";

test("without a browser its tests are left out and the reader is told; in CI they are not left out", () => {
  const nowhere = { CHROMIUM: "/nowhere/chromium" };
  expect(noBrowser(nowhere)).toContain("did NOT run: there is no Chromium at /nowhere/chromium");
  expect(noBrowser({ ...nowhere, CI: "true" })).toBeNull();
  expect(noBrowser({ CHROMIUM: process.execPath })).toBeNull();
});

test("without a browser that has device keys its tests are left out and the reader is told, in CI too", () => {
  expect(noDeviceBrowser({ DEVICE_CHROMIUM_DIR: "/nowhere", CI: "true" })).toContain("did NOT run");
  expect(deviceChromium({ HOME: "/home/me" })).toBe(
    "/home/me/.cache/wallet-session/chromium-150/usr/lib/chromium/chromium",
  );
});

test("without gcc its tests are left out and the reader is told; in CI they are not left out", () => {
  expect(noCompiler({ PATH: "/nowhere" })).toContain("did NOT run: there is no gcc");
  expect(noCompiler({ PATH: "/nowhere", CI: "true" })).toBeNull();
});

test("without a PostgreSQL its tests are left out and the reader is told; in CI they are not left out", async () => {
  for (const url of ["postgres://someone:hunter2@127.0.0.1:1/x", "postgres://someone:hunter2@[/x"]) {
    const note = await noPostgres({ POSTGRES_URL: url });
    expect(note).toMatch(/did NOT run: no server at (127\.0\.0\.1:1|POSTGRES_URL) /);
    expect(note).not.toContain("hunter2");
    expect(await noPostgres({ POSTGRES_URL: url, CI: "true" })).toBeNull();
  }
});

test("without a Redis its tests are left out and the reader is told; in CI they are not left out", async () => {
  for (const url of ["redis://someone:hunter2@127.0.0.1:1", "redis://someone:hunter2@[/x"]) {
    const note = await noRedis({ REDIS_URL: url });
    expect(note).toMatch(/did NOT run: no server answers at (127\.0\.0\.1:1|REDIS_URL),/);
    expect(note).not.toContain("hunter2");
    expect(await noRedis({ REDIS_URL: url, CI: "true" })).toBeNull();
  }
});

test("a server that is named is not replaced by one that is started", async () => {
  const env = { REDIS_URL: "redis://127.0.0.1:1" };
  (await startRedisWhereNoneAnswers(env))();
  expect(env).toEqual({ REDIS_URL: "redis://127.0.0.1:1" });
});
