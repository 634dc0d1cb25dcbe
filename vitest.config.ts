import { defineConfig } from "vitest/config";
import { postgresToTestWith } from "./scripts/setup/postgres.mjs";
import { redisToTestWith } from "./scripts/setup/redis.mjs";

const exclude = ["**/node_modules/**", "**/dist/**"];

// Where there is no PostgreSQL, what stands on it can be neither tested nor held to its coverage. `npm test` says so.
const ofPostgres = [
  "packages/wallet-session/src/stores/postgres{.,/}**",
  "app/lib/sql/postgres*",
  "app/lib/operations/takeover.test.ts",
  "test/http/postgres{,-streams}.test.ts",
  "test/instances/instances.test.ts",
];
const { isThere } = await postgresToTestWith();
if (!isThere) exclude.push(...ofPostgres);
// The same of Redis.
const ofRedis = [
  "packages/wallet-session/src/stores/redis{.,/}**",
  "test/http/redis.test.ts",
  "test/instances/instances.test.ts",
];
if (!(await redisToTestWith()).isThere) exclude.push(...ofRedis);

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    // For what hangs: some start several processes one after the other, and a busy machine takes its time for each. How fast
    // something must be is said where it is tested.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A condition is given up after as long as a busy machine may take.
    expect: { poll: { timeout: 10_000 } },
    maxWorkers: 2,
    // Tests that run on each kind of database leave it out.
    env: isThere ? {} : { WITHOUT_POSTGRES: "1" },
    // Every run takes another order, so that no test can come to lean on the one before it. The seed is printed;
    // `--sequence.seed N` takes that order again.
    sequence: { shuffle: true },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "app/**/*.test.{ts,tsx}", "scripts/**/*.test.ts"],
          exclude,
        },
      },
      {
        extends: true,
        test: {
          name: "app",
          include: ["test/**/*.test.ts"],
          // Set by `npm test` where there is no Chromium; it says so too.
          exclude: process.env.WITHOUT_BROWSER === undefined ? exclude : [...exclude, "test/browser/**"],
          // Each file starts servers of its own; these come after the quick tests, and one file at a time.
          fileParallelism: false,
          sequence: { shuffle: true, groupOrder: 1 },
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
        "packages/wallet-session/src/engine/{authenticate,refresh,revocation-view,revoke,rotate}.ts": {
          100: true,
        },
        "packages/wallet-session/src/{client,http/request}/retry-key.ts": { 100: true },
      },
    },
  },
});
