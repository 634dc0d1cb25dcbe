import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Proxy {
  /** The database's URL, by way of the proxy. */
  readonly url: string;
  /** Round trips that clients have asked for since the last call: each query ends with one Sync, or is a simple one. */
  roundTrips(): number;
  /** From now on the server's answers are lost: what it was sent, it does. */
  dropAnswers(): void;
  /** The same for the connections that there are; later ones are answered. */
  silence(): void;
  /** Cuts all connections, and lets later ones through again. */
  cut(): void;
}

/**
 * A TCP proxy before a real server, which sees each message of the wire protocol
 * (PostgreSQL documentation, "Message Formats"): one byte for the kind, four for the length.
 */
export async function startProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let trips = 0;
  let dropping = false;
  let silenced = new WeakSet<Socket>();

  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    const count = countRoundTrips(() => {
      trips += 1;
    });
    client.on("data", (chunk) => {
      count(chunk);
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (!dropping && !silenced.has(client)) client.write(chunk);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");

  const cut = () => {
    for (const socket of sockets) socket.destroy();
    dropping = false;
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${address.port}` }).href,
    roundTrips() {
      const count = trips;
      trips = 0;
      return count;
    },
    dropAnswers() {
      dropping = true;
    },
    silence() {
      silenced = new WeakSet(sockets);
    },
    cut,
  };
}

/** Reads the client's side of one connection, however its messages are cut into chunks. */
function countRoundTrips(onTrip: () => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      // The first message has no kind.
      const lengthAt = started ? 1 : 0;
      if (rest.length < lengthAt + 4) return;
      const end = lengthAt + rest.readUInt32BE(lengthAt);
      if (rest.length < end) return;
      const kind = started ? String.fromCharCode(rest[0] ?? 0) : "";
      if (kind === "S" || kind === "Q") onTrip();
      rest = rest.subarray(end);
      started = true;
    }
  };
}
