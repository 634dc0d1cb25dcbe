import { afterAll, beforeAll } from "vitest";
import { type AppServer, type Settings, startApp } from "./app-server.ts";
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

/**
 * Starts one server before the tests of the file and stops it after them. By then no secret of theirs may be in its
 * output, its refusals or its database. `settings` may be asked for late, when other parts of the test stand. `start` is
 * `startServe` where the app around the sessions does not matter: that starts in half the time.
 */
export function appUnderTest(settings: () => Settings = () => ({}), start = startApp): App {
  let app: App | null = null;
  const started = (): App => {
    if (app === null) throw new Error("The server has not been started yet.");
    return app;
  };
  beforeAll(async () => {
    const server = await start(settings());
    const witness = createWitness();
    app = { server, witness, client: createClient(server, witness) };
  });
  afterAll(async () => {
    if (app === null) return;
    const ending = app.server.endedUnasked();
    await app.server.kill("SIGKILL");
    const found = leaks(app.server, app.witness);
    await app.server.stop();
    // Why the tests have met no server any more.
    if (ending !== null)
      throw new Error(
        `The server had ended, with ${ending.code ?? ending.signal}:\n${app.server.output().slice(-OUTPUT_CHARS)}`,
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
