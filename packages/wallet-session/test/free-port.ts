import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below those that systems give out by themselves: nobody else gets one of these before the server that it is for listens on it,
 * or while that server is away. Redis's cluster adds 10,000.
 */
const [FIRST, END] = [12_000, 22_000];

/** A port of the loopback that nothing listens on, for a server that is about to be started. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    const probe = createServer().listen(port, "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch {
      continue;
    }
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}
