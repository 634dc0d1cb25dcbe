import middie from "@fastify/middie";
import Fastify from "fastify";
import { nodeHandler, nodePageGuard } from "wallet-session/node";
import { createSessions } from "wallet-session/server";

const sessions = createSessions();
const guardPage = nodePageGuard(sessions, { signInPath: "/" });
await sessions.start();

const app = Fastify({ keepAliveTimeout: 65_000 });
await app.register(middie);
app.use(nodeHandler(sessions));

app.get("/", (_request, reply) => reply.type("text/html").send("<h1>Sign in</h1>"));
app.get("/account", async (request, reply) => {
  const who = await guardPage(request.raw, reply.raw);
  return who === null ? reply.hijack() : reply.type("text/html").send(`<h1>${who.actorId}</h1>`);
});

const { port, host } = sessions.config;
await app.listen({ port, host });
