import { expect, test } from "vitest";
import { ConfigError } from "wallet-session/server";
import { readAppSettings } from "./settings.ts";

test("the streams stand beside the sessions, unless told otherwise", () => {
  const placeOf = (env: Record<string, string>) => readAppSettings(env).streamsDatabaseUrl;
  expect(placeOf({})).toEqual({ kind: "sqlite", path: "./data/wallet-session.db" });
  expect(placeOf({ DATABASE_URL: "sqlite:./a.db" })).toEqual({ kind: "sqlite", path: "./a.db" });
  expect(placeOf({ DATABASE_URL: "memory:" })).toEqual({ kind: "memory" });
  const apart = { DATABASE_URL: "memory:", STREAMS_DATABASE_URL: "sqlite:./b.db" };
  expect(placeOf(apart)).toEqual({ kind: "sqlite", path: "./b.db" });
});

test("in PostgreSQL too, beside the sessions or alone; beside sessions that are in no SQL database, in a file of their own", () => {
  const url = "postgres://someone:hunter2@db.example.com/pay";
  const at = (env: Record<string, string>) => () => readAppSettings(env).streamsDatabaseUrl;
  expect(at({ DATABASE_URL: url })()).toEqual({ kind: "postgres", url });
  expect(at({ STREAMS_DATABASE_URL: url })()).toEqual({ kind: "postgres", url });
  expect(at({ DATABASE_URL: url, STREAMS_DATABASE_URL: "memory:" })()).toEqual({ kind: "memory" });
  const redis = "redis://:hunter2@cache.example.com";
  expect(at({ DATABASE_URL: redis })()).toEqual({ kind: "sqlite", path: "./data/streams.db" });
  expect(at({ STREAMS_DATABASE_URL: redis })).toThrow(
    "STREAMS_DATABASE_URL must be memory:, sqlite:PATH or postgres://",
  );
  expect(at({ STREAMS_DATABASE_URL: redis })).not.toThrow("hunter2");
});

test("a schema is brought up to date unless that is left to somebody else", () => {
  expect(readAppSettings({}).mayMigrate).toBe(true);
  expect(readAppSettings({ DATABASE_MIGRATE: "on" }).mayMigrate).toBe(true);
  expect(readAppSettings({ DATABASE_MIGRATE: "off" }).mayMigrate).toBe(false);
});

test("the pace has a default and bounds", () => {
  const paceOf = (text: string) => readAppSettings({ SETTLEMENTS_PER_SECOND: text }).settlementsPerSecond;
  expect(paceOf("")).toBe(100);
  expect(paceOf("1")).toBe(1);
  expect(paceOf("1000")).toBe(1_000);
  for (const text of ["0", "1001", "1.5", "fast"]) {
    expect(() => paceOf(text)).toThrow("SETTLEMENTS_PER_SECOND must be a whole number from 1 to 1000");
  }
});

test("every bad setting is named at once, and one that is not its own is not", () => {
  const read = (env: Record<string, string>) => () => readAppSettings(env);
  expect(read({ STREAMS_DATABASE_URL: "file:x", SETTLEMENTS_PER_SECOND: "no" })).toThrow(ConfigError);
  expect(read({ STREAMS_DATABASE_URL: "file:x", SETTLEMENTS_PER_SECOND: "no" })).toThrow(
    /STREAMS_DATABASE_URL must be.*\n.*SETTLEMENTS_PER_SECOND must be/,
  );
  // `readConfig` names it.
  expect(read({ DATABASE_URL: "file:x" })).not.toThrow();
});

test("the auth endpoints are where the app's folders put them", () => {
  for (const path of ["", "/api/auth"]) readAppSettings({ AUTH_BASE_PATH: path });
  expect(() => readAppSettings({ AUTH_BASE_PATH: "/auth" })).toThrow(
    "AUTH_BASE_PATH must be /api/auth in this app",
  );
});
