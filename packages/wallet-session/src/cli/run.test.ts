import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { storeInFile, type } from "./cli.fixture.ts";
import { COMMANDS } from "./commands.ts";

test("without a command, and with --help, it says what there is", async () => {
  const { code, out } = await type("--help");
  expect(code).toBe(0);
  expect(out).toMatchInlineSnapshot(`
    [
      "Sessions for people who sign in with a wallet.",
      "",
      "Usage: wallet-session COMMAND [OPTION…]",
      "",
      "  init             Prints settings with new secrets, and writes the files that mount it",
      "  serve            Serves all endpoints on bare Node, without a framework",
      "  sessions list    Lists the sessions of an actor",
      "  sessions revoke  Ends a session, all sessions of an actor, or all there are",
      "  keys list        Lists the keys that sign access tokens",
      "  keys rotate      Publishes a new key for access tokens, which signs ten minutes later",
      "  migrate          Brings the schema of the database up to date",
      "  prune            Deletes what nobody can need any more",
      "  doctor           Checks everything that a server stands on, and says what to do",
      "  conform          Tries the refresh endpoint of any server with lost answers, tabs, thieves, restarts",
      "",
      "wallet-session COMMAND --help says more and shows examples. --version prints the version.",
      "Settings come from the environment, DATABASE_URL above all, or from a file: --env-file FILE.",
      "Exit codes: 0 done, 1 failed, 2 the command line makes no sense, 3 there is no such session.",
    ]
  `);
  expect(await type("")).toEqual(await type("--help"));
  expect(await type("help")).toEqual(await type("-h"));
});

test.each(COMMANDS.map(({ name }) => name))("%s: its help shows its usage and examples", async (name) => {
  const { code, out } = await type(`${name} --help`);
  expect(code).toBe(0);
  expect(out.filter((line) => line.length > 100 && !line.startsWith("  "))).toEqual([]);
  expect(out).toContain("Examples:");
  expect(out.find((line) => line.startsWith(`Usage: wallet-session ${name}`))).toBeDefined();
  expect(out.at(-1)).toContain(`wallet-session ${name}`);
  expect(await type(`help ${name}`)).toEqual({ code, out, notes: [], questions: [] });
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect((await type("--version")).out).toEqual([version]);
});

test.each([
  [
    "session list",
    [
      "There is no command session. There are these:",
      ...COMMANDS.map(({ name }) => `  wallet-session ${name}`),
    ],
  ],
  ["keys", ["keys takes one of these:", "  wallet-session keys list", "  wallet-session keys rotate"]],
  [
    "keys list --jsno",
    ["keys list has no option --jsno. It has --json, --env-file. See: wallet-session keys list --help"],
  ],
  ["serve -p", ["serve has no option -p. It has --env-file. See: wallet-session serve --help"]],
  ["serve now", ['serve does not take "now". See: wallet-session serve --help']],
  [
    "sessions list --actor",
    ["Option '--actor <value>' argument missing. See: wallet-session sessions list --help"],
  ],
  ["sessions list", ["sessions list needs --actor ACTOR."]],
])("%s makes no sense: 2, and what would", async (line, notes) => {
  expect(await type(line)).toEqual({ code: 2, out: [], notes, questions: [] });
});

test("settings can come from a file; the environment goes before it", async () => {
  const { env, path } = storeInFile();
  const file = join(dirname(path), ".env");
  writeFileSync(file, `# the service's\nDATABASE_URL="${env.DATABASE_URL}"\nAUTH_SECRET=short\n`);
  const line = `keys list --env-file ${file}`;
  expect(await type(line, { AUTH_SECRET: env.AUTH_SECRET })).toMatchObject({ code: 0 });
  expect((await type(line)).notes[1]).toMatch(/AUTH_SECRET is not usable/);
  const missing = await type(`keys list --env-file ${file}s`);
  expect([missing.code, missing.notes[0]]).toEqual([2, expect.stringMatching(/^--env-file cannot be read/)]);
});

test("a command reads the settings that it needs, and no other", async () => {
  const { env } = storeInFile();
  const bad = { ...env, PORT: "none", STELLAR_SIGNING_SEED: "bad", ACCESS_TOKEN_TTL: "bad" };
  expect((await type("sessions list --actor GA", { ...bad, AUTH_SECRET: "bad" })).code).toBe(0);
  expect(await type("keys list", bad)).toMatchObject({
    code: 1,
    notes: ["The settings cannot be used:", expect.stringContaining("ACCESS_TOKEN_TTL must be")],
  });
});

test("a store in memory is another process's, a file must be there, and what does not answer is named as that", async () => {
  const memory = await type("prune", { DATABASE_URL: "memory:" });
  expect([memory.code, memory.notes[0]]).toEqual([1, expect.stringMatching(/^DATABASE_URL is memory:/)]);
  const { path } = storeInFile();
  const missing = await type("sessions list --actor GA", { DATABASE_URL: `sqlite:${path}s` });
  expect([missing.code, missing.notes[0]]).toEqual([1, expect.stringMatching(/^There is no database at /)]);
  expect(existsSync(`${path}s`)).toBe(false);
  const env = { DATABASE_URL: "postgres://someone:hunter2@127.0.0.1:1/none" };
  const { code, notes } = await type("sessions list --actor GA", env);
  expect([code, notes[0]]).toEqual([1, expect.stringMatching(/^The store failed: .*ECONNREFUSED/)]);
  expect(notes.join()).not.toContain("hunter2");
});
