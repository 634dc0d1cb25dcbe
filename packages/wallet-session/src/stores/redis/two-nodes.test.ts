import { openRedisStore } from "../redis.ts";
import { testTwoNodes } from "../two-nodes.fixture.ts";
import { temporaryKeys } from "./server.fixture.ts";

const keys = temporaryKeys();

testTwoNodes(() => {
  const options = { url: keys.url, prefix: keys.newPrefix(), onWarning: () => {} };
  return [openRedisStore(options), openRedisStore(options)];
});
