// The apps that `init` writes, from the packed package, kept open in a real browser for 100 seconds of 20-second tokens.
import { testKeptOpen } from "../browser/kept-open.ts";
import { buildExampleNext } from "../support/example-next.ts";
import { serverFile } from "../support/example-under-test.ts";

const server = { signIn: "/", prepare: serverFile };

testKeptOpen(
  {
    express: server,
    fastify: server,
    hono: server,
    next: { signIn: "/sign-in", prepare: (directory, consumer) => buildExampleNext(directory, consumer, {}) },
  },
  { ttlSeconds: 20, leewaySeconds: 3, ends: 5 },
);
