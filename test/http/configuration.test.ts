// The built app refuses to start on settings that it cannot work with: exit code 1, and a message that names them. PORT
// never gets here when it is bad: `npm start` itself refuses it.
import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { type Settings, startAppToItsEnd } from "../support/app-server.ts";

const SECRET = "a secret of the tests that is long enough to be one";
const GOOD: Settings = {
  DATABASE_URL: "memory:",
  AUTH_SECRET: SECRET,
  STELLAR_SIGNING_SEED: createWalletKeypair().seed,
};

test.concurrent.each<[name: string, value: string]>([
  ["DATABASE_URL", "mysql://localhost/sessions"],
  ["REFRESH_LEEWAY", "10m"],
  ["PUBLIC_URL", "pay.example.com"],
  ["AUTH_SECRET", "short-and-secret"],
  ["STELLAR_SIGNING_SEED", `${GOOD.STELLAR_SIGNING_SEED}A`],
])("%s=%s", async (name, value) => {
  const { code, output } = await startAppToItsEnd({ ...GOOD, [name]: value });
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`^  ${name} (must|is)`, "m"));
  expect(output.match(/^ {2}[A-Z_]+ (?:must|is)/gm)).toHaveLength(1);
  if (/SECRET|SEED/.test(name)) expect(output).not.toContain(value.slice(0, 16));
  expect(output).not.toMatch(/^\s+at /m);
});

test.concurrent("production makes no secrets of its own, and says all that is missing at once", async () => {
  const { code, output } = await startAppToItsEnd({ WALLET_SESSION_MODE: "production" });
  expect(code).toBe(1);
  for (const name of ["PUBLIC_URL", "AUTH_SECRET", "STELLAR_SIGNING_SEED", "HORIZON_URL"]) {
    expect(output).toMatch(new RegExp(`^  ${name} is required in production`, "m"));
  }
});

test.concurrent("a database that cannot be opened is said in a sentence", async () => {
  // Under a file there is no room for another one.
  const DATABASE_URL = `sqlite:${import.meta.filename}/sessions.db`;
  const { code, output } = await startAppToItsEnd({ ...GOOD, DATABASE_URL });
  expect(code).toBe(1);
  expect(output).toMatch(/^The server cannot start: /m);
  expect(output).not.toMatch(/^\s+at /m);
});
