import express from "express";
import { nodeHandler, nodePageGuard } from "wallet-session/node";
import { createSessions } from "wallet-session/server";

const sessions = createSessions();
const guardPage = nodePageGuard(sessions, { signInPath: "/" });
await sessions.start();

const app = express();
app.use(nodeHandler(sessions));

app.get("/", (_request, response) => void response.send("<h1>Sign in</h1>"));
app.get("/account", async (request, response) => {
  const who = await guardPage(request, response);
  if (who !== null) response.send(`<h1>${who.actorId}</h1>`);
});

const { port, host } = sessions.config;
app.listen(port, host).keepAliveTimeout = 65_000;
