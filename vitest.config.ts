import { defineConfig } from "vitest/config";
import { noCompiler, noDeviceBrowser, noPostgres, noRedis } from "./scripts/setup/services.ts";

const exclude = ["**/node_modules/**", "**/dist/**"];

// Without PostgreSQL, what stands on it can be neither tested nor held to its coverage. `npm test` says so.
const ofPostgres = [
  "packages/wallet-session/src/{stores,databases}/postgres{.,/,-}**",
  "app/lib/sql/postgres*",
  "app/lib/operations/takeover{.,.*.}test.ts",
  "test/**/*{postgres,instances}*.test.ts",
];
const withoutPostgres = (await noPostgres()) !== null;
if (withoutPostgres) exclude.push(...ofPostgres);
// The same of Redis.
const ofRedis = ["packages/wallet-session/src/stores/redis{.,/}**", "test/**/*{redis,instances}*.test.ts"];
if ((await noRedis()) !== null) exclude.push(...ofRedis);
// The same of a browser with device keys.
if (noDeviceBrowser() !== null) exclude.push("test/**/*device-keys*.test.ts");
if (noCompiler() !== null) exclude.push("packages/wallet-session/src/stores/sqlite/power{.,.*.}test.ts");
// Set by `npm test` where there is no Chromium; it says so too.
if (process.env.WITHOUT_BROWSER !== undefined) exclude.push("test/browser/**", "test/**/*browser*.test.ts");

/** Tests that wait for real time, and tests that take minutes. Each kind is a project of its own. */
const clock = ["test/clock/**/*.test.ts", "**/*.clock.test.{ts,tsx}"];
const long = ["test/long/**/*.test.ts", "**/*.long.test.{ts,tsx}"];
/**
 * Tests of what a process has once: its settings, its working directory, the sessions that its modules share. Each of these
 * files has a process to itself. The others run one after the other in two processes, which load each module once.
 */
const ofTheProcess = [
  "app/api/**/*.test.ts",
  "app/lib/*.test.ts",
  "packages/*/src/{cli,next}/**/*.test.ts",
  "packages/*/src/client/environment.test.ts",
  "scripts/**/*.test.ts",
];

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    // Only stops what hangs: some tests start several processes, and a busy machine takes its time for each.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A condition is given up after as long as a busy machine may take.
    expect: { poll: { timeout: 10_000 } },
    maxWorkers: 2,
    // Tests that run on each kind of database leave it out.
    env: withoutPostgres ? { WITHOUT_POSTGRES: "1" } : {},
    // Every run takes another order within each file, so that no test can lean on the one before it. The seed is printed;
    // `--sequence.seed N` takes that order again. Files are apart anyway, and the longest start first.
    sequence: { shuffle: { tests: true, files: false } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "app/**/*.test.{ts,tsx}"],
          exclude: [...exclude, ...clock, ...long, ...ofTheProcess],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "process",
          include: ofTheProcess,
          exclude: [...exclude, ...clock, ...long],
        },
      },
      // These drive the built app or the packed package. Each file has servers, ports and databases of its own.
      {
        extends: true,
        test: {
          name: "http",
          include: ["test/http/**/*.test.ts"],
          exclude: [...exclude, ...clock, ...long],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          exclude: [...exclude, ...clock, ...long],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "clock",
          include: clock,
          exclude: [...exclude, ...long],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      // Not in `npm test`: see `npm run test:long`.
      {
        extends: true,
        test: {
          name: "long",
          include: long,
          exclude,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      provider: "v8",
      reporter: ["text", "html"],
      include: ["packages/wallet-session/src/**/*.ts", "app/api/**/*.ts", "app/lib/**/*.ts"],
      exclude: [...exclude, "**/*.test.ts", "**/*.fixture.ts"],
      thresholds: {
        "packages/wallet-session/src/**": { statements: 90, branches: 90, functions: 90, lines: 90 },
        "app/api/**": { statements: 90, branches: 90, functions: 90, lines: 90 },
        "app/lib/**": { statements: 90, branches: 90, functions: 90, lines: 90 },
        // Reuse, revocation, expiry and retry.
        "packages/wallet-session/src/engine/{authenticate,refresh,refusing,revocation-view,revoke,rotate}.ts":
          {
            100: true,
          },
        "packages/wallet-session/src/{client,http/request}/retry-key.ts": { 100: true },
      },
    },
  },
});
