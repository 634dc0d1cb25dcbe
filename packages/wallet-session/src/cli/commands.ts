import { sessionIdOf } from "../session-id.ts";
import type { Command } from "./command.ts";

const JSON_OPTION = { json: { about: "answers in JSON, on one line" } };
const YES_OPTION = { yes: { about: "does not ask" } };
const STORE_SETTINGS = "Needs DATABASE_URL, as the servers have it.";
const KEY_SETTINGS = "Needs DATABASE_URL, AUTH_SECRET and ACCESS_TOKEN_TTL, as the servers have them.";

export const COMMANDS: readonly Command[] = [
  {
    name: "init",
    summary: "Prints settings with new secrets, and writes the files that mount it",
    usage: "[--framework FRAMEWORK]",
    about: [
      "The settings are a .env file that a server starts with. Each call makes other secrets: keep those that a server has.",
      "--framework writes the files that mount the service there and guard a page, into this directory. If one of them is there already, it writes nothing and ends with 1.",
    ],
    options: { framework: { value: "FRAMEWORK", about: "next, express, fastify or hono" } },
    examples: ["npx wallet-session init >> .env", "npx wallet-session init --framework next >> .env"],
    load: async () => (await import("./init.ts")).init,
  },
  {
    name: "serve",
    summary: "Serves all endpoints on bare Node, without a framework",
    about: [
      "Takes its settings from the environment (docs/configuration.md) and listens on HOST and PORT. Logs are JSON lines on standard output.",
      "SIGTERM and SIGINT stop it: no new connection is taken, what is being answered is, event streams are told to connect again, and the process ends within SHUTDOWN_TIMEOUT (10s). A second signal ends it at once.",
    ],
    examples: [
      "npx wallet-session serve",
      "npx wallet-session serve --env-file .env",
      "PORT=8080 DATABASE_URL=postgres://pay@db.example.com/pay npx wallet-session serve --env-file secrets.env",
    ],
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "sessions list",
    summary: "Lists the sessions of an actor",
    usage: "--actor ACTOR [--json]",
    about: [
      "The live ones, newest first; then those that a reuse has ended within the last 7 days: each is an alarm.",
      STORE_SETTINGS,
    ],
    options: { actor: { value: "ACTOR", about: "who signed in: G…, M… or G…:memo" }, ...JSON_OPTION },
    examples: [
      "npx wallet-session sessions list --actor GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H",
      "npx wallet-session sessions list --actor GBRP… --json | jq -r '.sessions[].id'",
    ],
    load: async () => (await import("./sessions.ts")).sessionsList,
  },
  {
    name: "sessions revoke",
    summary: "Ends a session, all sessions of an actor, or all there are",
    usage: "(ID | --actor ACTOR | --all) [--yes] [--json]",
    about: [
      "Once it has answered, no refresh of these sessions succeeds on any server, and their access tokens are refused within about a second. Their wallets can sign in again.",
      "At a terminal it asks first. In a script, --all needs --yes.",
      STORE_SETTINGS,
    ],
    options: {
      actor: { value: "ACTOR", about: "ends all sessions of this actor" },
      all: { about: "ends all sessions of everybody" },
      ...YES_OPTION,
      ...JSON_OPTION,
    },
    operand: (text) => sessionIdOf(text) !== null,
    examples: [
      "npx wallet-session sessions revoke ggxoMbsRUBcULtcT8CWdHg",
      "npx wallet-session sessions revoke --actor GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H",
      "npx wallet-session sessions revoke --all --yes",
    ],
    load: async () => (await import("./sessions.ts")).sessionsRevoke,
  },
  {
    name: "keys list",
    summary: "Lists the keys that sign access tokens",
    usage: "[--json]",
    about: [
      "coming: published, and signs later. signing: signs now. verifying: tokens of it may still live. retired: none can. unreadable: rests under a secret that is not in AUTH_SECRET, and does nothing.",
      KEY_SETTINGS,
    ],
    options: JSON_OPTION,
    examples: ["npx wallet-session keys list"],
    load: async () => (await import("./keys.ts")).keysList,
  },
  {
    name: "keys rotate",
    summary: "Publishes a new key for access tokens, which signs ten minutes later",
    usage: "[--json]",
    about: [
      "The servers take it over by themselves. The ten minutes are for those who verify tokens elsewhere and keep the public keys for a while. The old key verifies until its last token is over.",
      KEY_SETTINGS,
    ],
    options: JSON_OPTION,
    examples: ["npx wallet-session keys rotate"],
    load: async () => (await import("./keys.ts")).keysRotate,
  },
  {
    name: "migrate",
    summary: "Brings the schema of the database up to date",
    usage: "[--print] [--json]",
    about: [
      "A server that starts does the same, unless DATABASE_MIGRATE is off. One process does it, others wait; servers at work go on.",
      STORE_SETTINGS,
    ],
    options: { print: { about: "shows the SQL and changes nothing" }, ...JSON_OPTION },
    examples: ["npx wallet-session migrate", "npx wallet-session migrate --print > upgrade.sql"],
    load: async () => (await import("./migrate.ts")).migrate,
  },
  {
    name: "prune",
    summary: "Deletes what nobody can need any more",
    usage: "[--json]",
    about: [
      "Sessions that ended over 7 days ago, used challenges, old log entries and events. The servers do the same every ten minutes; this is for a store without one. It works in small steps, beside running servers.",
      "Needs DATABASE_URL and ACCESS_TOKEN_TTL, as the servers have them.",
    ],
    options: JSON_OPTION,
    examples: ["npx wallet-session prune"],
    load: async () => (await import("./prune.ts")).pruneAll,
  },
  {
    name: "doctor",
    summary: "Checks everything that a server stands on, and says what to do",
    usage: "[--json]",
    about: [
      "Settings, cookies, proxies, store, schema, keys, Horizon, PUBLIC_URL, stellar.toml and the clock. Changes nothing. Ends with 1 if a check has failed; what is only to be looked at leaves it at 0.",
      "Needs all settings, as the servers have them.",
    ],
    options: JSON_OPTION,
    examples: ["npx wallet-session doctor", "npx wallet-session doctor --env-file .env --json"],
    load: async () => (await import("./doctor.ts")).doctor,
  },
  {
    name: "conform",
    summary: "Tries the refresh endpoint of any server with lost answers, tabs, thieves, restarts",
    usage: "--url URL --adapter FILE [OPTION…]",
    about: [
      "Runs the refresh conformance suite, the package refresh-conformance, which has to be installed beside this one. It fails a server only for what its adapter claims of it.",
      "Ends with 1 if something that is claimed does not hold. Needs no settings.",
    ],
    options: {
      url: { value: "URL", about: "where the server is" },
      adapter: { value: "FILE", about: "a module whose default export makes the adapter of that server" },
      only: { value: "NAMES", about: "plays these scenarios alone, with commas between" },
      rounds: { value: "N", about: "plays each round of a scenario so often" },
      json: { value: "FILE", about: "writes the results as JSON" },
      junit: { value: "FILE", about: "writes the results for build servers" },
    },
    examples: ["npx wallet-session conform --url http://localhost:3000 --adapter ./adapter.ts"],
    load: async () => (await import("./conform.ts")).conform,
  },
];
