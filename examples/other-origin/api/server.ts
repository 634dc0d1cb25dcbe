import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { createSessions } from "wallet-session/server";

const sessions = createSessions();
await sessions.start();

const app = new Hono();
app.onError((error) => sessions.handlers.problem(error));
app.all("/api/auth/*", (c) => sessions.fetch(c.req.raw));
app.all("/.well-known/*", (c) => sessions.fetch(c.req.raw));

app.use(
  "/api/*",
  cors({
    origin: process.env.APP_ORIGIN ?? "https://app.example.com",
    exposeHeaders: ["Retry-After", "DPoP-Nonce"],
  }),
);
app.get("/api/boats", async (c) => {
  const { actorId } = await sessions.handlers.guard(c.req.raw);
  return c.json({ owner: actorId, boats: [] });
});

serve({ fetch: app.fetch, port: sessions.config.port, hostname: sessions.config.host });
