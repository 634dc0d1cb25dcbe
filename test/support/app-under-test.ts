import { afterAll, beforeAll } from "vitest";
import { type AppServer, quoted, type Settings, startApp } from "./app-server.ts";
import { createClient, type SessionClient } from "./session-client.ts";
import { createWitness, leaks, type Witness } from "./witness.ts";

/** Of what a server has said, when it tells why it has ended. */
const OUTPUT_CHARS = 2_000;

/** A server for all tests of the calling file, and a client for it. Not to be read before the tests run. */
export interface App {
  readonly server: AppServer;
  readonly client: SessionClient;
  readonly witness: Witness;
}

/** The server of all files of this process that ask for no settings of their own. It ends with the process. */
let shared: Promise<AppServer> | null = null;

/** Where it has ended, the files that come get another. */
async function sharedServer(): Promise<AppServer> {
  shared ??= startApp();
  const server = await shared;
  if (server.endedUnasked() === null) return server;
  shared = null;
  return sharedServer();
}

const refuse = () => {
  throw new Error("Other test files use this server as well. Ask for one with settings of its own.");
};

/**
 * A server for the tests of the calling file. After them no secret of theirs may be in its output, its refusals or its database.
 * Without `settings` it is one that other files use too: to start the app takes longer than most tests. `settings` may be asked
 * for late, when other parts of the test stand. `start` is `startServe` where the app around the sessions does not matter: that
 * starts in half the time.
 */
export function appUnderTest(settings?: () => Settings, start = startApp): App {
  let app: App | null = null;
  let printedBefore = 0;
  const started = (): App => {
    if (app === null) throw new Error("The server has not been started yet.");
    return app;
  };
  beforeAll(async () => {
    const server = settings === undefined ? ofOthersToo(await sharedServer()) : await start(settings());
    printedBefore = server.output().length;
    const witness = createWitness();
    app = { server, witness, client: createClient(server, witness) };
  });
  afterAll(async () => {
    if (app === null) return;
    const { server, witness } = app;
    const ending = server.endedUnasked();
    if (settings !== undefined) await server.kill("SIGKILL");
    const output = server.output().slice(printedBefore);
    const found = leaks(server, witness, output);
    if (settings !== undefined) await server.stop();
    // Why the tests have met no server any more.
    if (ending !== null)
      throw new Error(
        `The server had ended, with ${ending.code ?? ending.signal}:\n${quoted(output.slice(-OUTPUT_CHARS))}`,
      );
    if (found.length > 0) throw new Error(`Secrets came to light:\n${found.join("\n")}`);
  });
  return {
    get server() {
      return started().server;
    },
    get client() {
      return started().client;
    },
    get witness() {
      return started().witness;
    },
  };
}

function ofOthersToo(server: AppServer): AppServer {
  return Object.create(server, {
    restart: { value: refuse },
    kill: { value: refuse },
    start: { value: refuse },
    stop: { value: refuse },
  });
}
