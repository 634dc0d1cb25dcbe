#!/usr/bin/env node
// What is installed runs what was built. In the repository, which alone has this file, the sources run as they are.
import { existsSync } from "node:fs";

const inRepository = existsSync(new URL("../tsconfig.build.json", import.meta.url));
await import(inRepository ? "../src/cli/main.ts" : "../dist/cli/main.js");
