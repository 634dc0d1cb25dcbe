// What every server here has in common: it listens on PORT of the loopback, keeps its data below DATA, and says when it is ready.
import { createServer } from "node:http";
import { join } from "node:path";

const { PORT = "4000", DATA = "." } = process.env;

export const url = `http://localhost:${PORT}`;
export const path = (name) => join(DATA, name);

/** `routes`: a handler by path; all else goes to `handle`, which answers a web-standard request or a Node one. */
export function serve(routes, handle) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", url);
    try {
      if (pathname === "/ready") return void response.end("ready");
      const route = routes[pathname];
      if (route === undefined) return void (await handle(request, response));
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const { status = 200, body } = await route(Buffer.concat(chunks).toString("utf8"), request);
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    } catch (error) {
      console.error(error);
      if (!response.headersSent) response.writeHead(500, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ error: "server_error" }));
    }
  });
  server.listen(Number(PORT), "127.0.0.1");
}

/** A Node handler that is made of a web-standard one. */
export const webHandler = (fetch) => async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = chunks.length > 0 ? { body: Buffer.concat(chunks) } : {};
  const answer = await fetch(
    new Request(new URL(request.url ?? "/", url), {
      method: request.method,
      headers: request.headers,
      ...body,
    }),
  );
  response.writeHead(answer.status, [...answer.headers].flat());
  response.end(Buffer.from(await answer.arrayBuffer()));
};
