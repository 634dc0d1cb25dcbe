// Somebody else's app on Hono, which mounts the packed package: started as its readers would, then used.
import { testExample } from "../support/example-under-test.ts";

testExample({
  name: "hono",
  signIn: "/",
  pages: [],
  prepare: (cwd) => ({
    command: process.execPath,
    args: ["server.ts"],
    cwd,
    settings: { HORIZON_URL: "none" },
    readyPath: "/",
  }),
});
