import { randomBytes } from "node:crypto";
import { createClient, RESP_TYPES } from "@redis/client";
import { afterAll } from "vitest";

/** A real server. `npm test` has looked whether it answers. */
const SERVER_URL = process.env.REDIS_URL || "redis://127.0.0.1:6379";

export interface TemporaryKeys {
  readonly url: string;
  /** A prefix that nobody has used. */
  newPrefix(): string;
  /** One command on a connection of its own. */
  command(...command: (string | Buffer)[]): Promise<unknown>;
}

/** Keys for the tests of one file, deleted after them. */
export function temporaryKeys(): TemporaryKeys {
  const own = `test-${randomBytes(6).toString("hex")}`;
  let prefixes = 0;

  async function connected<Output>(use: (client: ReturnType<typeof newClient>) => Promise<Output>) {
    const client = newClient();
    await client.connect();
    try {
      return await use(client);
    } finally {
      client.destroy();
    }
  }

  afterAll(() =>
    connected(async (client) => {
      // The names are bytes, not text: ids are in them.
      for await (const names of client.scanIterator({ MATCH: `{${own}-*`, COUNT: 1_000 })) {
        if (names.length > 0) await client.unlink(names);
      }
    }),
  );

  return {
    url: SERVER_URL,
    newPrefix() {
      prefixes += 1;
      return `${own}-${prefixes}`;
    },
    command: (...command) => connected((client) => client.sendCommand(command)),
  };
}

function newClient() {
  const commandOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  return createClient({ url: SERVER_URL, commandOptions });
}
