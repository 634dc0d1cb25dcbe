import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Webhook } from "standardwebhooks";
import { sessionEnded, verify } from "./access.ts";

const webhook = new Webhook(process.env.SECURITY_WEBHOOK_SECRET ?? "");
const app = new Hono();

app.get("/healthz", (c) => c.body(null, 204));

app.post("/session-ended", async (c) => {
  const event = webhook.verify(await c.req.text(), c.req.header()) as {
    type: string;
    data: { session_id: string };
  };
  // That one has not ended.
  if (event.type !== "session.proof_failed") sessionEnded(event.data.session_id);
  return c.body(null, 204);
});

app.get("/boats", async (c) => {
  const [, token = ""] = /^Bearer +(.+)$/i.exec(c.req.header("Authorization") ?? "") ?? [];
  const claims = await verify(token);
  if (claims !== null) return c.json({ owner: claims.sub, boats: [] });
  return c.json({ title: "Access token not valid", status: 401, code: "access_token_invalid" }, 401, {
    "Content-Type": "application/problem+json",
    "WWW-Authenticate": 'Bearer error="invalid_token"',
  });
});

// A fault is no refusal: a client that gets 401 renews or signs out.
app.onError((_, c) => c.json({ error: "unavailable" }, 503, { "Retry-After": "2" }));

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 4000), hostname: "127.0.0.1" });
