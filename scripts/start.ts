// npm start: builds the app if its sources have changed, then serves it.
import { ensureBuilt } from "./setup/built.ts";
import { serve } from "./setup/server.ts";

await ensureBuilt();
process.exit(await serve("start"));
