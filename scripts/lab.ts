// npm run lab: serves the app as npm start does, for its page /lab: access tokens of 20 seconds, sessions in a file of
// their own, and a server that is started again when the page ends it.
import { ensureBuilt } from "./setup/built.ts";
import { serve } from "./setup/server.ts";

/** Any code that nothing else ends with; 75 is "temporary failure" among the BSD's. */
const RESTART_EXIT_CODE = 75;

await ensureBuilt();
Object.assign(process.env, {
  // In production there is no lab.
  NODE_ENV: "development",
  ACCESS_TOKEN_TTL: "20s",
  REFRESH_LEEWAY: "3s",
  DATABASE_URL: process.env.LAB_DATABASE_URL || "sqlite:./data/lab.db",
  LAB_RESTART_EXIT_CODE: String(RESTART_EXIT_CODE),
});
console.log("The lab is at /lab of the address below.");
process.exit(await serve("start", { restartOn: RESTART_EXIT_CODE }));
