// npm run build: builds the app if its sources have changed.
import { ensureBuilt } from "./setup/built.ts";

await ensureBuilt();
console.log("The build is up to date.");
