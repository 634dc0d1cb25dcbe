// npm run dev: serves the app from its sources and follows their changes.
import { serve } from "./setup/server.ts";

process.exit(await serve("dev"));
