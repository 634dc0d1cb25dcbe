import { describe, expect, test } from "vitest";
import type { SessionStore } from "../store.ts";
import { storeConformance } from "../testing.ts";
import { temporaryKeys } from "./redis/server.fixture.ts";
import { openRedisStore } from "./redis.ts";

const keys = temporaryKeys();

describe("Redis store", () => {
  const prefixes = new WeakMap<SessionStore, string>();
  const openWith = async (prefix: string) => {
    const store = openRedisStore({ url: keys.url, prefix, onWarning: () => {} });
    prefixes.set(store, prefix);
    return store;
  };
  storeConformance({
    test,
    open: () => openWith(keys.newPrefix()),
    openAnother: (first) => openWith(prefixes.get(first) ?? ""),
  });
});

test("a URL and a prefix are plain ones", () => {
  for (const prefix of ["", "a}b", "{a", "a:b", "a".repeat(65)]) {
    expect(() => openRedisStore({ url: keys.url, prefix }), prefix).toThrow(RangeError);
  }
  for (const url of ["http://127.0.0.1", "redis", "redis://127.0.0.1:99999", "redis://127.0.0.1/x"]) {
    expect(() => openRedisStore({ url }), url).toThrow(RangeError);
  }
});
