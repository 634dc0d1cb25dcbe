// npm test [-- PATH… OPTION…]: builds the app if its sources have changed, then runs all tests but the long ones.
// npm run test:long [-- PATH… OPTION…]: the same with the long ones alone.
import { relative, resolve } from "node:path";
import { ensureBuilt } from "./setup/built.ts";
import { root } from "./setup/root.mjs";
import { runTests } from "./setup/run-tests.ts";
import {
  noBrowser,
  noCompiler,
  noDeviceBrowser,
  noPostgres,
  noRedis,
  startRedisWhereNoneAnswers,
} from "./setup/services.ts";

const started = Date.now();
const args = process.argv.slice(2).filter((arg) => arg !== "--long");
const project = process.argv.includes("--long") ? "long" : "!long";

// The tests that drive the built app are all in test/. A run that names only paths outside needs no build.
const outside = (arg: string) => /^(?:app|packages|scripts)(?:\/|$)/.test(relative(root, resolve(arg)));
if (args.length === 0 || !args.every(outside)) await ensureBuilt();
process.on("exit", await startRedisWhereNoneAnswers());
const notes = [noBrowser(), await noPostgres(), await noRedis(), noDeviceBrowser(), noCompiler()];
if (notes[0] !== null) process.env.WITHOUT_BROWSER = "1";
process.exit(await runTests([...args, `--project=${project}`], { notes, started }));
