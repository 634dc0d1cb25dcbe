// @ts-check
// npm run dev: installs what is missing, then serves the app from its sources and follows their changes.
import { prepare } from "./setup/prepare.mjs";
import { serve } from "./setup/server.mjs";

await prepare();
process.exit(await serve("dev"));
