import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** A directory for the tests of the calling file, removed after them. Returns a path in it that was not given before. */
export function temporaryDirectory(): (name: string) => string {
  let directory = "";
  let given = 0;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "wallet-session-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  return (name) => {
    given += 1;
    return join(directory, `${given}`, name);
  };
}
