import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

const USUAL_PORTS: Readonly<Record<string, number>> = { "postgres:": 5432, "redis:": 6379 };

/** A TCP proxy before a real database, which cuts all connections within an answer. */
export interface CuttingProxy {
  /** The database's URL, by way of the proxy. */
  readonly url: string;
  /**
   * From now on the first connection that gets so many bytes of answers is cut, and all others with it. `away`: later ones are
   * cut as well, until `mend`.
   */
  cutAfter(bytes: number, later: "away" | "back"): void;
  /** Lets everything through. Returns whether something was cut. */
  mend(): boolean;
  end(): void;
}

export async function startCuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let limit = Number.POSITIVE_INFINITY;
  let answered = new WeakMap<Socket, number>();
  let later: "away" | "back" = "back";
  let hasCut = false;

  function cut(): void {
    hasCut = true;
    limit = Number.POSITIVE_INFINITY;
    // What was forwarded arrives first.
    for (const socket of sockets) socket.destroySoon();
  }

  const server = createServer((client) => {
    if (hasCut && later === "away") client.destroy();
    const upstream = connect(Number(target.port || USUAL_PORTS[target.protocol]), target.hostname);
    /** The connection that waits for news has answers of its own. */
    let listens = false;
    client.on("data", (chunk) => {
      listens ||= /LISTEN|subscribe/i.test(chunk.toString("latin1"));
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      const before = listens ? Number.NEGATIVE_INFINITY : (answered.get(client) ?? 0);
      client.write(chunk.subarray(0, Math.max(0, limit - before)));
      answered.set(client, before + chunk.length);
      if (before + chunk.length >= limit) cut();
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroySoon();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${address.port}` }).href,
    cutAfter(bytes, comeBack) {
      [limit, later, hasCut, answered] = [bytes, comeBack, false, new WeakMap()];
    },
    mend() {
      const was = hasCut;
      [limit, hasCut] = [Number.POSITIVE_INFINITY, false];
      return was;
    },
    end() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
