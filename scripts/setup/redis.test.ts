import { expect, test } from "vitest";
import { redisToTestWith, startRedisWhereNoneAnswers } from "./redis.mjs";

test("without a Redis its tests are left out and the reader is told; in CI they are not left out", async () => {
  for (const url of ["redis://someone:hunter2@127.0.0.1:1", "redis://someone:hunter2@[/x"]) {
    const without = await redisToTestWith({ REDIS_URL: url });
    expect(without.isThere).toBe(false);
    expect(without.note).toMatch(/did NOT run: no server answers at (127\.0\.0\.1:1|REDIS_URL),/);
    expect(without.note).not.toContain("hunter2");
    expect(await redisToTestWith({ REDIS_URL: url, CI: "true" })).toEqual({ isThere: true });
  }
});

test("a server that is named is not replaced by one that is started", async () => {
  const env = { REDIS_URL: "redis://127.0.0.1:1" };
  (await startRedisWhereNoneAnswers(env))();
  expect(env).toEqual({ REDIS_URL: "redis://127.0.0.1:1" });
});
