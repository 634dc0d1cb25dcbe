// The apps that `init` writes, from the packed package, kept open in a real browser. For as long as 20-second tokens: test/long.
import { serverFile } from "../support/example-under-test.ts";
import { testKeptOpen } from "./kept-open.ts";

const server = { signIn: "/", prepare: serverFile };

testKeptOpen({ express: server, fastify: server, hono: server }, { ttlSeconds: 3, ends: 2 });
