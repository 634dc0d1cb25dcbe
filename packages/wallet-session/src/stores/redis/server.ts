import { UnfitStore } from "../unfit-store.ts";
import type { Connection, Reply } from "./driver.ts";
import { ServerFault } from "./faults.ts";

/** `always`: also rotations are on disk before they are acknowledged; `everysec`: everything but rotations. */
export type RedisDurability = "always" | "everysec";

interface ServerCheck {
  /** Whether WAITAOF says when a write is on disk. Without it, an answer says as much as `appendfsync` makes it say. */
  readonly waitsForDisk: boolean;
  readonly warning: string | null;
}

/**
 * Whether the server may hold sessions, and what the operator should know of it. By INFO, which servers that are somebody
 * else's answer too; CONFIG, which they may refuse, tells the one thing that INFO does not: `appendfsync`.
 * @throws UnfitStore for a replica outside of a cluster, and for one that drops keys when its memory is full
 */
export async function checkServer(connection: Connection, durability: RedisDurability): Promise<ServerCheck> {
  const [info, appendfsync] = await Promise.all([
    connection.send(["INFO", "server", "memory", "persistence", "replication"]),
    readAppendfsync(connection),
  ]);
  const fields = parseInfo(info);
  const role = fields.get("role");
  // One of a cluster says itself where the primary is, by MOVED.
  if (role !== "master" && fields.get("redis_mode") !== "cluster") {
    throw new UnfitStore(
      `This Redis is a replica (role: ${role}). It lags behind, and a revoked session lives on there: DATABASE_URL must lead to the primary.`,
    );
  }
  const policy = fields.get("maxmemory_policy") ?? "unknown";
  // `volatile-…` drops only keys with an end of their own, and none of the store's has one.
  if (policy !== "noeviction" && !policy.startsWith("volatile-")) {
    throw new UnfitStore(
      `This Redis may drop sessions when its memory is full (maxmemory-policy: ${policy}). Set maxmemory-policy noeviction, or use a Redis of its own for sessions.`,
    );
  }
  const hasLog = fields.get("aof_enabled") === "1";
  const canWait = hasWaitaof(fields.get("redis_version"));
  return {
    waitsForDisk: hasLog && appendfsync !== "no" && canWait,
    warning: hasLog ? warningOf(appendfsync, canWait, durability) : NO_LOG,
  };
}

const NO_LOG =
  "Redis keeps no append-only file (appendonly no): when it ends, sessions and revocations since its last snapshot are lost. Set appendonly yes.";

/** @param appendfsync null: the server does not tell */
function warningOf(appendfsync: string | null, canWait: boolean, durability: RedisDurability): string | null {
  if (appendfsync === null) {
    return "Redis does not tell its appendfsync: whether an acknowledged write is on disk is not known here. REDIS_DURABILITY=always asks for appendfsync always.";
  }
  if (appendfsync === "no") {
    return "Redis leaves it to the system when its append-only file goes to disk (appendfsync no): no acknowledged write is sure. Set appendfsync always, or everysec.";
  }
  if (appendfsync === "always") return null;
  if (canWait) {
    if (durability === "everysec") return null;
    return "Redis writes its append-only file to disk once a second (appendfsync everysec): with REDIS_DURABILITY=always each write waits for that, up to a second. Set appendfsync always.";
  }
  const lost =
    durability === "always" ? "no acknowledged write is sure" : "also an acknowledged revocation can be lost";
  return `Redis writes its append-only file to disk once a second (appendfsync everysec) and, before version 7.2, cannot say when: in a crash ${lost}. Set appendfsync always.`;
}

/** WAITAOF came with 7.2. Valkey gives the version of Redis that it is compatible with, which is later. */
function hasWaitaof(version = ""): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 7 || (major === 7 && minor >= 2);
}

async function readAppendfsync(connection: Connection): Promise<string | null> {
  try {
    const reply = await connection.send(["CONFIG", "GET", "appendfsync"]);
    return readConfigValue(reply);
  } catch (error) {
    if (error instanceof ServerFault) return null;
    throw error;
  }
}

/** A list in one version of the protocol, a map in the other. */
function readConfigValue(reply: Reply): string | null {
  const values = Array.isArray(reply) ? reply : Object.entries(reply ?? {}).flat();
  return values.length === 2 ? `${values[1]}` : null;
}

function parseInfo(reply: Reply): ReadonlyMap<string, string> {
  const lines = `${reply}`.split("\r\n").filter((line) => line.includes(":"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}
