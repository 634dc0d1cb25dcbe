#!/usr/bin/env node
// What is installed runs what was built. In the repository, which alone has this file, the sources run as they are.
import { existsSync } from "node:fs";

const inRepository = existsSync(new URL("../tsconfig.build.json", import.meta.url));
const { main } = await import(inRepository ? "../src/cli.ts" : "../dist/cli.js");
process.exitCode = await main(process.argv.slice(2));
