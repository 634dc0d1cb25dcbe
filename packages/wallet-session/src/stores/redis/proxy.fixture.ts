import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface RedisProxy {
  /** The server's URL, by way of the proxy. */
  readonly url: string;
  /** The commands that clients have sent since the last call, each by its first word. */
  commands(): string[];
  /** From now on the server's answers are lost: what it was sent, it does. */
  dropAnswers(): void;
  /** Cuts all connections, and lets later ones through again. */
  cut(): void;
  /** Cuts all connections; later ones come to this server. */
  leadTo(serverUrl: string): void;
  end(): void;
}

/**
 * Makes an older server look like one that has WAITAOF: the version is a later one of the same length, and WAITAOF is answered
 * with what is given here.
 */
export interface Pretence {
  acknowledged: 0 | 1;
}

/** A TCP proxy before a real server, which sees each command (Redis documentation, "Redis serialization protocol"). */
export async function startProxy(serverUrl: string, pretence?: Pretence): Promise<RedisProxy> {
  let target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let seen: string[] = [];
  let dropping = false;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 6379), target.hostname);
    const read = readCommands((command, bytes) => {
      seen.push(command);
      upstream.write(command === "WAITAOF" && pretence ? answering(pretence) : bytes);
    });
    client.on("data", read);
    upstream.on("data", (chunk) => {
      if (!dropping) client.write(pretence ? newer(chunk) : chunk);
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
  return {
    url: Object.assign(new URL(serverUrl), { host: `127.0.0.1:${address.port}` }).href,
    commands() {
      const commands = seen;
      seen = [];
      return commands;
    },
    dropAnswers() {
      dropping = true;
    },
    cut,
    leadTo(other) {
      target = new URL(other);
      cut();
    },
    end() {
      cut();
      server.close();
    },
  };
}

/** What the server answers as it would WAITAOF. */
function answering({ acknowledged }: Pretence): string {
  const script = `return {${acknowledged}, 0}`;
  return `*3\r\n$4\r\nEVAL\r\n$${script.length}\r\n${script}\r\n$1\r\n0\r\n`;
}

function newer(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString("latin1").replace("redis_version:7.0.", "redis_version:7.2."), "latin1");
}

/** Reads the client's side of one connection, however its commands are cut into chunks: arrays of bulk strings. */
function readCommands(onCommand: (command: string, bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const words = readCommand(rest);
      if (words === null) return;
      onCommand(words.first, rest.subarray(0, words.end));
      rest = rest.subarray(words.end);
    }
  };
}

function readCommand(bytes: Buffer): { first: string; end: number } | null {
  let at = 0;
  const number = (): number | null => {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return null;
    const value = Number(bytes.toString("latin1", at + 1, end));
    at = end + 2;
    return value;
  };
  const count = number();
  if (count === null) return null;
  let first = "";
  for (let index = 0; index < count; index += 1) {
    const size = number();
    if (size === null || bytes.length < at + size + 2) return null;
    if (index === 0) first = bytes.toString("latin1", at, at + size);
    at += size + 2;
  }
  return { first, end: at };
}
