import { STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { missingPackage } from "../../missing-package.ts";
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

/** What the store uses of a connection of `@redis/client`. */
export interface RedisConnection {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: () => void): unknown;
  sendCommand(command: Argument[]): Promise<unknown>;
  subscribe(channel: string, listener: () => void): Promise<unknown>;
}

/** What the store uses of a client of `@redis/client`: its settings, for connections of the store's own. */
export interface RedisClient {
  readonly options: { readonly socket?: object | undefined };
  duplicate(overrides: object): RedisConnection;
}

/** Where the connections lead, and by which settings. */
export type RedisSource = { readonly url: string } | { readonly client: RedisClient };

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
export async function connect(source: RedisSource, address: Address | null): Promise<Connection> {
  const driver = await loadDriver();
  const client = newClient(driver, source, address);
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
        return (await client.sendCommand([...command])) as Reply;
      } catch (error) {
        if (error instanceof driver.ErrorReply) throw new ServerFault(error.message);
        throw new ConnectionFault(true, error);
      }
    },
    async subscribe(channel, listener) {
      await client.subscribe(channel, listener);
    },
  };
}

function newClient(driver: Driver, source: RedisSource, address: Address | null): RedisConnection {
  const settings = {
    // Lost is lost: what was on its way must not be sent again behind the store's back.
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    // A step has its own limit; a timer for each command costs more than the command.
    commandOptions: { timeout: 0, typeMapping: { [driver.RESP_TYPES.BLOB_STRING]: Buffer } },
  };
  const socket = { connectTimeout: STORE_STEP_TIMEOUT_MS, reconnectStrategy: false, keepAlive: true };
  if ("client" in source) {
    const { client } = source;
    return client.duplicate({
      ...settings,
      // The store names its keys itself, and nobody else's cache knows of its writes.
      keyPrefix: undefined,
      clientSideCache: undefined,
      socket: { ...client.options.socket, ...socket, ...address },
      ...(address && { url: undefined }),
    });
  }
  const target = new URL(source.url);
  if (address !== null) {
    target.hostname = address.host.includes(":") ? `[${address.host}]` : address.host;
    target.port = `${address.port}`;
  }
  const tls = target.protocol === "rediss:";
  return driver.createClient({ ...settings, url: target.href, socket: { ...socket, ...(tls && { tls }) } });
}

/** The host that the URL or the client names. */
export function hostOf(source: RedisSource): string {
  if ("url" in source) return new URL(source.url).hostname;
  const { socket } = source.client.options;
  return socket && "host" in socket && typeof socket.host === "string" ? socket.host : "localhost";
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

/** What is used of `@redis/client`. No type of it stands in a declaration: programs without it read those, too. */
interface Driver {
  createClient(settings: object): RedisConnection;
  readonly ErrorReply: new (message: string) => Error;
  readonly RESP_TYPES: { readonly BLOB_STRING: number };
}

/** Once; a slow disk is no reason to give a step up. @throws when `@redis/client` is not installed */
export async function loadDriver(): Promise<Driver> {
  try {
    return await import(/* webpackIgnore: true */ /* turbopackIgnore: false */ "@redis/client");
  } catch (cause) {
    throw new UnfitStore(missingPackage("The Redis store", "@redis/client", cause), { cause });
  }
}
