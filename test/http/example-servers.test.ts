// Somebody else's apps on Express, Fastify and Hono, which mount the packed package: started as their readers would, then used.
import { afterAll, beforeAll, describe } from "vitest";
import { type Consumer, PACKED_WITHIN_MS } from "../support/consumer.ts";
import { consumerOf, serverFile, testExample } from "../support/example-under-test.ts";

const NAMES = ["express", "fastify", "hono"] as const;

let consumer: Consumer;
beforeAll(async () => {
  consumer = await consumerOf(...NAMES);
}, PACKED_WITHIN_MS);
afterAll(() => consumer?.remove());

describe.concurrent.each(NAMES)("%s", (name) => {
  testExample({ name, signIn: "/", pages: [], prepare: serverFile }, () => consumer);
});
