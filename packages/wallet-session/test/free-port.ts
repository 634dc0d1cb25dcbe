import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** Below those that systems give out by themselves, and so that neither its guard nor the bus of Redis's cluster (10,000) is one. */
const [FIRST, END] = [12_000, 17_000];
const TO_GUARD = 5_000;

/**
 * A port of the loopback that nothing listens on, for a server that is about to be started. No other process gets it as long as
 * this one lives: not before that server listens, nor while it is away.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    const guard = await listen(port + TO_GUARD);
    if (guard === null) continue;
    const probe = await listen(port);
    if (probe === null) {
      guard.close();
      continue;
    }
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}

/** A listener that does not keep its process alive; null where something else listens. */
async function listen(port: number): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy())
    .listen(port, "127.0.0.1")
    .unref();
  try {
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}
