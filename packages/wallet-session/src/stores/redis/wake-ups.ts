import { REDIS_RESUBSCRIBE_MS } from "../../limits.ts";
import type { Node } from "./connections.ts";

/**
 * Calls `wake` for each message on the channel, and once for each subscription: what was said before it was not heard. On a
 * connection of its own, which comes back by itself. Returns what ends it.
 */
export function watchChannel(node: Node, channel: string, wake: () => void): () => void {
  let stopped = false;
  let destroy = () => {};
  let timer: NodeJS.Timeout | undefined;

  async function listen(): Promise<void> {
    try {
      const connection = await node.connect();
      destroy = connection.destroy;
      if (stopped) return destroy();
      await connection.subscribe(channel, wake);
      wake();
      await connection.lost;
    } catch {
      // Whoever waits for the news looks for it from time to time as well.
    } finally {
      destroy();
      if (!stopped) timer = setTimeout(listen, REDIS_RESUBSCRIBE_MS).unref();
    }
  }

  listen();
  return () => {
    stopped = true;
    clearTimeout(timer);
    destroy();
  };
}
