import { expect, test } from "vitest";
import { postgresToTestWith } from "./postgres.mjs";

test("without a PostgreSQL its tests are left out and the reader is told; in CI they are not left out", async () => {
  for (const url of ["postgres://someone:hunter2@127.0.0.1:1/x", "postgres://someone:hunter2@[/x"]) {
    const without = await postgresToTestWith({ POSTGRES_URL: url });
    expect(without.isThere).toBe(false);
    expect(without.note).toMatch(/did NOT run: no server at (127\.0\.0\.1:1|POSTGRES_URL) /);
    expect(without.note).not.toContain("hunter2");
    expect(await postgresToTestWith({ POSTGRES_URL: url, CI: "true" })).toEqual({ isThere: true });
  }
});
