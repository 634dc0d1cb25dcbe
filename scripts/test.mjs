// @ts-check
// npm test [-- PATH… OPTION…]: installs and builds what is missing or stale, then runs all tests but the long ones.
// npm run test:long [-- PATH… OPTION…]: the same with the long ones alone.
import { relative, resolve } from "node:path";
import { browserToTestWith } from "./setup/browser.mjs";
import { ensureBuilt } from "./setup/built.mjs";
import { postgresToTestWith } from "./setup/postgres.mjs";
import { prepare } from "./setup/prepare.mjs";
import { redisToTestWith, startRedisWhereNoneAnswers } from "./setup/redis.mjs";
import { root } from "./setup/root.mjs";

const started = Date.now();
const args = process.argv.slice(2).filter((arg) => arg !== "--long");
const project = process.argv.includes("--long") ? "long" : "!long";

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
const notes = [browser.note, postgres.note, redis.note];
process.exit(await runTests([...args, `--project=${project}`], { notes, started }));

/**
 * The tests that drive the built app are all in test/. A run that names only paths outside needs no build.
 *
 * @param {string[]} args
 */
function mayNeedTheApp(args) {
  const outside = /^(?:app|packages|scripts)(?:\/|$)/;
  return args.length === 0 || !args.every((arg) => outside.test(relative(root, resolve(arg))));
}
