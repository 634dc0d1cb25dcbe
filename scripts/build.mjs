// @ts-check
// npm run build: installs what is missing, then builds the app if its sources have changed.
import { ensureBuilt } from "./setup/built.mjs";
import { prepare } from "./setup/prepare.mjs";

await prepare();
await ensureBuilt();
console.log("The build is up to date.");
