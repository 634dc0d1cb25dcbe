import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createSessions } from "wallet-session/server";

const sessions = createSessions();
await sessions.start();

const app = new Hono();
app.all("/api/auth/*", (c) => sessions.fetch(c.req.raw));
app.all("/.well-known/*", (c) => sessions.fetch(c.req.raw));
app.onError((error) => sessions.handlers.problem(error));

app.get("/", (c) => c.html("<h1>Sign in</h1>"));
app.get("/account", async (c) => {
  const who = await sessions.handlers.guardPage(c.req.raw, { signInPath: "/" });
  return who instanceof Response ? who : c.html(`<h1>${who.actorId}</h1>`);
});

serve({ fetch: app.fetch, port: sessions.config.port, hostname: sessions.config.host });
