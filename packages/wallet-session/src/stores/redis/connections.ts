import { STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import type { Listener } from "../wake-ups.ts";
import { type Address, type Connection, connect, hostOf, type RedisSource } from "./driver.ts";
import { ConnectionFault, ServerFault } from "./faults.ts";
import { checkServer, type RedisDurability } from "./server.ts";

export interface NodeOptions {
  readonly source: RedisSource;
  readonly durability: RedisDurability;
  readonly onWarning: (warning: string) => void;
}

/** A connection to a server that has been looked at. */
export interface CheckedConnection extends Connection {
  readonly waitsForDisk: boolean;
}

export type Node = ReturnType<typeof createNode>;

/**
 * The server that holds the keys: the one at the source or, in a cluster, the one that it names. Where that one cannot be
 * reached, the source is asked again: so a cluster's failover is followed.
 */
export function createNode({ source, durability, onWarning }: NodeOptions) {
  let movedTo: Address | null = null;
  /** Each warning is given once, however often connections are made. */
  const warned = new Set<string>();

  /** @throws ConnectionFault, UnfitStore */
  async function connectToIt(): Promise<Connection> {
    const address = movedTo;
    try {
      return await connect(source, address);
    } catch (error) {
      if (movedTo === address) movedTo = null;
      throw error;
    }
  }

  return {
    /** @throws ConnectionFault, UnfitStore */
    async connectChecked(): Promise<CheckedConnection> {
      const connection = await connectToIt();
      const silent = setTimeout(() => connection.destroy(), STORE_STEP_TIMEOUT_MS);
      try {
        const { waitsForDisk, warning } = await checkServer(connection, durability);
        if (warning !== null && !warned.has(warning)) {
          warned.add(warning);
          onWarning(warning);
        }
        return { ...connection, waitsForDisk };
      } catch (error) {
        connection.destroy();
        // Nothing of the step was sent yet.
        throw error instanceof ConnectionFault ? new ConnectionFault(false, error) : error;
      } finally {
        clearTimeout(silent);
      }
    },

    /** Listens to a channel on a connection of its own. */
    async listen(channel: string, onMessage: () => void): Promise<Listener> {
      const { lost, destroy, subscribe } = await connectToIt();
      try {
        await subscribe(channel, onMessage);
      } catch (error) {
        destroy();
        throw error;
      }
      return { ended: lost, end: destroy };
    },

    /** Takes what an answer says of where the keys are: `MOVED 3999 10.0.0.7:6379`, without a host where it is the same. */
    follow(error: unknown): void {
      if (!(error instanceof ServerFault)) return;
      if (error.code !== "MOVED") {
        movedTo = null;
        return;
      }
      const target = error.message.split(" ")[2] ?? "";
      const colon = target.lastIndexOf(":");
      const host = target.slice(0, colon) || movedTo?.host || hostOf(source);
      movedTo = { host, port: Number(target.slice(colon + 1)) };
    },
  };
}

export type Line = ReturnType<typeof createLine>;

/** One connection at a time to the node: opened when it is needed, and anew when it was lost or is given up. */
export function createLine(node: Node) {
  const given = new Set<CheckedConnection>();
  let current: Promise<CheckedConnection> | null = null;

  return {
    /** @throws ConnectionFault, UnfitStore */
    connection(): Promise<CheckedConnection> {
      if (current !== null) return current;
      const opening = node.connectChecked();
      current = opening;
      const forget = () => {
        if (current === opening) current = null;
      };
      opening.then((connection) => {
        given.add(connection);
        connection.lost.then(() => {
          given.delete(connection);
          forget();
        });
      }, forget);
      return opening;
    },

    /** The next step gets another one. What waits for this one may still get its answer. */
    async leave(connection: CheckedConnection): Promise<void> {
      if ((await current?.catch(() => null)) === connection) current = null;
      setTimeout(() => connection.destroy(), STORE_STEP_TIMEOUT_MS).unref();
    },

    async close(): Promise<void> {
      await current?.catch(() => null);
      for (const connection of given) connection.destroy();
    },
  };
}
