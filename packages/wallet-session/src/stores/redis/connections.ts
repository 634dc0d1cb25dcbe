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

/**
 * The server that holds the keys: the one at the source or, in a cluster, the one that it names. Where that one cannot be
 * reached, the source is asked again: so a cluster's failover is followed.
 */
export class Node {
  readonly #options: NodeOptions;
  #movedTo: Address | null = null;
  readonly #warned = new Set<string>();

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  /** @throws ConnectionFault, UnfitStore */
  async connect(): Promise<Connection> {
    const address = this.#movedTo;
    try {
      return await connect(this.#options.source, address);
    } catch (error) {
      if (this.#movedTo === address) this.#movedTo = null;
      throw error;
    }
  }

  /** @throws ConnectionFault, UnfitStore */
  async connectChecked(): Promise<CheckedConnection> {
    const connection = await this.connect();
    const silent = setTimeout(() => connection.destroy(), STORE_STEP_TIMEOUT_MS);
    try {
      const { waitsForDisk, warnings } = await checkServer(connection, this.#options.durability);
      for (const warning of warnings) this.#warn(warning);
      return { ...connection, waitsForDisk };
    } catch (error) {
      connection.destroy();
      // Nothing of the step was sent yet.
      throw error instanceof ConnectionFault ? new ConnectionFault(false, error) : error;
    } finally {
      clearTimeout(silent);
    }
  }

  /** Listens to a channel on a connection of its own. */
  async listen(channel: string, onMessage: () => void): Promise<Listener> {
    const { lost, destroy, subscribe } = await this.connect();
    try {
      await subscribe(channel, onMessage);
    } catch (error) {
      destroy();
      throw error;
    }
    return { ended: lost, end: destroy };
  }

  /** Takes what an answer says of where the keys are: `MOVED 3999 10.0.0.7:6379`, without a host where it is the same. */
  follow(error: unknown): void {
    if (!(error instanceof ServerFault)) return;
    if (error.code !== "MOVED") {
      this.#movedTo = null;
      return;
    }
    const target = error.message.split(" ")[2] ?? "";
    const colon = target.lastIndexOf(":");
    const host = target.slice(0, colon) || this.#movedTo?.host || hostOf(this.#options.source);
    this.#movedTo = { host, port: Number(target.slice(colon + 1)) };
  }

  /** Each warning once, however often connections are made. */
  #warn(warning: string): void {
    if (this.#warned.has(warning)) return;
    this.#warned.add(warning);
    this.#options.onWarning(warning);
  }
}

/** One connection at a time to the node: opened when it is needed, and anew when it was lost or is given up. */
export class Line {
  readonly #node: Node;
  readonly #given = new Set<CheckedConnection>();
  #connection: Promise<CheckedConnection> | null = null;

  constructor(node: Node) {
    this.#node = node;
  }

  /** @throws ConnectionFault, UnfitStore */
  connection(): Promise<CheckedConnection> {
    if (this.#connection === null) {
      const opening = this.#node.connectChecked();
      this.#connection = opening;
      const forget = () => {
        if (this.#connection === opening) this.#connection = null;
      };
      opening.then((connection) => {
        this.#given.add(connection);
        connection.lost.then(() => {
          this.#given.delete(connection);
          forget();
        });
      }, forget);
    }
    return this.#connection;
  }

  /** The next step gets another one. What waits for this one may still get its answer. */
  async leave(connection: CheckedConnection): Promise<void> {
    if ((await this.#connection?.catch(() => null)) === connection) this.#connection = null;
    setTimeout(() => connection.destroy(), STORE_STEP_TIMEOUT_MS).unref();
  }

  async close(): Promise<void> {
    await this.#connection?.catch(() => null);
    for (const connection of this.#given) connection.destroy();
  }
}
