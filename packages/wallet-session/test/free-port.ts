import { once } from "node:events";
import { createServer } from "node:net";

/** A port of the loopback that nothing listens on, for a server that is about to be started. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return address.port;
}
