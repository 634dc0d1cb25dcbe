// `npm run demo` against a running server: it checks what it shows, and says so by its exit code.
import { join } from "node:path";
import { expect, test } from "vitest";
import { runQuietly } from "../../scripts/setup/child.mjs";
import { root } from "../../scripts/setup/root.mjs";
import { appUnderTest } from "../support/app-under-test.ts";

const app = appUnderTest();

const demo = (baseUrl: string) =>
  runQuietly({
    command: process.execPath,
    args: [join(root, "scripts", "run.mjs"), "demo"],
    env: { ...process.env, BASE_URL: baseUrl },
  });

test("the whole life of a session, with what its event stream says", async () => {
  const { code, output } = await demo(app.server.address);
  expect(output).toContain("All as promised.");
  expect(output).toMatch(/session\.renewed.*session\.ended, refresh_token_reused, and closes/s);
  expect(code).toBe(0);
});

test("says so where no server answers", async () => {
  const { code, output } = await demo("http://127.0.0.1:1");
  expect(output).toContain("No server answers at http://127.0.0.1:1. Start one with: npm start");
  expect(code).toBe(1);
});
