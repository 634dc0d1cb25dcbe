// npm run demo: the whole life of a session against a running server, a line for each step.
import { demo } from "./demo/session-life.ts";

process.exit(await demo(process.env.BASE_URL || `http://localhost:${process.env.PORT || 3000}`));
