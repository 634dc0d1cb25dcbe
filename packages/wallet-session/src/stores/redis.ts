import type { SessionStore } from "../store.ts";
import { assertRedisUrl, type RedisClient } from "./redis/driver.ts";
import type { RedisDurability } from "./redis/server.ts";
import { createRedisStore } from "./redis/store.ts";

export type { RedisClient, RedisConnection } from "./redis/driver.ts";
export type { RedisDurability };

/** Where the store's connections lead: exactly one of the two. */
export type RedisConnectionOptions =
  | {
      /** `redis://USER:PASSWORD@HOST:PORT/NUMBER`, or `rediss://` for TLS. In a cluster, any of its nodes. */
      readonly url: string;
      readonly client?: undefined;
    }
  | {
      /** A client of `@redis/client` or `redis` that the program has already. {@link openRedisStore} says what it is used for. */
      readonly client: RedisClient;
      readonly url?: undefined;
    };

export type RedisStoreOptions = RedisConnectionOptions & {
  /**
   * What the names of all keys begin with, in braces; letters, digits, `_`, `-` and `.`.
   * @default "wallet_session"
   */
  readonly prefix?: string;
  /**
   * `always`: every write is on disk before it is acknowledged, as far as the server can say so. `everysec`: a
   * rotation is not waited for; one that a crash loses signs its user out (`refresh_token_invalid`). All else as `always`.
   * @default "always"
   */
  readonly durability?: RedisDurability;
  /** Told once of each setting of the server by which acknowledged writes can be lost. Default: a warning of the process. */
  readonly onWarning?: (warning: string) => void;
};

const PREFIX = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * A store for any number of processes on any number of machines: Redis 7 or newer, or Valkey, by the package
 * `@redis/client`, which has to be installed beside this one.
 *
 * Each step is one Lua script, and so one round trip. A step is sent again where the server has not begun it, and where its
 * connection was lost and doing it twice leaves the same. It is sent 4 times at most, then it rejects. All of it ends within 1.5 s.
 *
 * Opens nothing yet. The first step connects; it rejects where the server is a replica or may drop sessions when its memory is
 * full, and when `@redis/client` is missing. After a failure the next step tries again.
 *
 * With `client` the store takes over its settings: address, TLS, credentials, database. It sends nothing on that client, which
 * need not be connected, and `close` leaves it alone. The store opens connections of its own by `duplicate()`: those that wait for
 * the disk (WAITAOF) or for news block everybody else, and a client that reconnects by itself may send a write twice. Time limits,
 * reconnecting, key prefix and client-side cache of the client do not touch them. It must come from the copy of
 * `@redis/client` that this package finds.
 *
 * @throws RangeError for a URL of another kind, and for a prefix with other characters
 *
 * @example
 * ```ts
 * import { openRedisStore } from "wallet-session/stores/redis";
 *
 * export const store = openRedisStore({ url: "rediss://app:secret@redis.example.com:6379" });
 * ```
 */
export function openRedisStore({
  url,
  client,
  prefix = "wallet_session",
  durability = "always",
  onWarning = (warning) => process.emitWarning(warning),
}: RedisStoreOptions): SessionStore {
  if (url !== undefined) assertRedisUrl(url);
  if (!PREFIX.test(prefix)) throw new RangeError("A prefix has letters, digits, _, - and ., at most 64.");
  const source = client === undefined ? { url } : { client };
  return createRedisStore({ source, prefix, durability, onWarning });
}
