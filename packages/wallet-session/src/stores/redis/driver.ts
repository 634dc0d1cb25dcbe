import { STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { UnfitStore } from "../unfit-store.ts";
import { ConnectionFault, ServerFault } from "./faults.ts";

export type Argument = string | Buffer;

/** An answer: strings of bytes are buffers. */
export type Reply = null | number | string | Buffer | readonly Reply[];

/** A host and a port instead of those of the URL. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One connection. It does not come back once it is lost. */
export interface Connection {
  /** @throws ServerFault, ConnectionFault */
  send(command: readonly Argument[]): Promise<Reply>;
  subscribe(channel: string, listener: () => void): Promise<void>;
  /** Settles once it is lost or destroyed. */
  readonly lost: Promise<void>;
  destroy(): void;
}

/** What can go wrong with a URL is said here, before anything is opened, and without the URL: it may hold a password. */
export function assertRedisUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || !/^\/?\d*$/.test(parsed.pathname)) {
    throw new RangeError(
      "The URL of a Redis is redis://USER:PASSWORD@HOST:PORT/NUMBER, or rediss:// for TLS.",
    );
  }
}

/** @throws ConnectionFault; Error when `@redis/client` is not installed */
export async function connect(url: string, address: Address | null): Promise<Connection> {
  const { createClient, ErrorReply, RESP_TYPES } = await loadDriver();
  const client = createClient({
    ...withAddress(url, address),
    // A step has its own limit; a timer for each command costs more than the command.
    // Lost is lost: what was on its way must not be sent again behind the store's back.
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    commandOptions: { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  const lost = new Promise<void>((resolve) => {
    client.on("error", () => resolve());
    client.on("end", () => resolve());
  });
  const destroy = () => {
    if (client.isOpen) client.destroy();
  };
  await connectInTime(client.connect(), destroy);
  return {
    lost,
    destroy,
    async send(command) {
      if (!client.isReady) throw new ConnectionFault(false, null);
      try {
        return await client.sendCommand<Reply>([...command]);
      } catch (error) {
        if (error instanceof ErrorReply) throw new ServerFault(error.message);
        throw new ConnectionFault(true, error);
      }
    },
    async subscribe(channel, listener) {
      await client.subscribe(channel, listener);
    },
  };
}

function withAddress(url: string, address: Address | null) {
  const target = new URL(url);
  if (address !== null) {
    target.hostname = address.host.includes(":") ? `[${address.host}]` : address.host;
    target.port = `${address.port}`;
  }
  const socket = {
    connectTimeout: STORE_STEP_TIMEOUT_MS,
    reconnectStrategy: false as const,
    keepAlive: true,
  };
  return target.protocol === "rediss:"
    ? { url: target.href, socket: { ...socket, tls: true as const } }
    : { url: target.href, socket };
}

/** The driver's own limit ends when TCP is connected, and a server that is stopped gets that far. */
async function connectInTime(connecting: Promise<unknown>, destroy: () => void): Promise<void> {
  const timer = setTimeout(destroy, STORE_STEP_TIMEOUT_MS);
  try {
    await connecting;
  } catch (error) {
    destroy();
    throw new ConnectionFault(false, error);
  } finally {
    clearTimeout(timer);
  }
}

/** Once; a slow disk is no reason to give a step up. @throws when `@redis/client` is not installed */
export async function loadDriver() {
  try {
    // Bundlers leave it alone: most who bundle this package have no `@redis/client`.
    return await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ "@redis/client");
  } catch (cause) {
    throw new UnfitStore("The Redis store needs the package @redis/client: npm install @redis/client", {
      cause,
    });
  }
}
