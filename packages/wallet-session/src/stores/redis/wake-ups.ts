import { REDIS_RESUBSCRIBE_MS } from "../../limits.ts";
import type { Node } from "./connections.ts";

/**
 * Calls `wake` for each message on the channel, and once for each subscription, since messages before it were missed. Uses a
 * connection of its own and opens it again by itself. Returns the function that ends it.
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
      // The watcher polls the log as well.
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
