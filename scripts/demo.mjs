// @ts-check
// npm run demo: the whole life of a session against a running server, a line for each step.
import { prepare } from "./setup/prepare.mjs";

await prepare();
const { demo } = await import("./demo/session-life.ts");
process.exit(await demo(process.env.BASE_URL || `http://localhost:${process.env.PORT || 3000}`));
