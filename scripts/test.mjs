// @ts-check
// npm test [-- PATH… OPTION…]: installs and builds what is missing or stale, then runs the tests.
import { relative, resolve } from "node:path";
import { browserToTestWith } from "./setup/browser.mjs";
import { ensureBuilt } from "./setup/built.mjs";
import { postgresToTestWith } from "./setup/postgres.mjs";
import { prepare } from "./setup/prepare.mjs";
import { redisToTestWith, startRedisWhereNoneAnswers } from "./setup/redis.mjs";
import { root } from "./setup/root.mjs";

const args = process.argv.slice(2);

await prepare();
if (mayNeedTheApp(args)) await ensureBuilt();
// Not before prepare(): it needs Vitest installed, and Vitest needs the pinned Node.
const { runTests } = await import("./setup/run-tests.mjs");
const browser = browserToTestWith();
if (!browser.isThere) process.env.WITHOUT_BROWSER = "1";
const postgres = await postgresToTestWith();
const stopRedis = await startRedisWhereNoneAnswers();
process.on("exit", stopRedis);
const redis = await redisToTestWith();
process.exit(await runTests(args, [browser.note, postgres.note, redis.note]));

/**
 * The tests that drive the built app are all in test/. A run that names only paths outside needs no build.
 *
 * @param {string[]} args
 */
function mayNeedTheApp(args) {
  const outside = /^(?:app|packages|scripts)(?:\/|$)/;
  return args.length === 0 || !args.every((arg) => outside.test(relative(root, resolve(arg))));
}
