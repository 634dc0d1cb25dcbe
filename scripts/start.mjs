// @ts-check
// npm start: installs and builds what is missing or stale, then serves the app.
import { ensureBuilt } from "./setup/built.mjs";
import { prepare } from "./setup/prepare.mjs";
import { serve } from "./setup/server.mjs";

await prepare();
await ensureBuilt();
process.exit(await serve("start"));
