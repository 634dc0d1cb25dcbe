import type { Config } from "../config/config.ts";
import type { DatabaseUrl } from "../config/values.ts";
import type { SecurityEventHandler } from "../engine/security-event.ts";
import type { SessionEngine } from "../engine/session-engine.ts";
import type { Handler } from "../http/handler.ts";
import type { Handlers } from "../http/handlers.ts";
import { publishPeerAddress } from "../http/request/client-address.ts";
import type { Logger } from "../logging.ts";
import type { SessionStore } from "../store.ts";
import type { StoreSettings } from "./open-store.ts";
import { type Parts, wire } from "./wire.ts";

export interface OpenSessionsOptions {
  /** Where the settings are read (docs/configuration.md). Default: `process.env`, at first use. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Opens another store than the ones that come along. Told what `DATABASE_URL` names, and the settings beside it. */
  readonly openStore?: (url: DatabaseUrl, settings: StoreSettings) => SessionStore;
  /** What else has to answer for this process to be ready. See `createHandlers`. */
  readonly ready?: () => Promise<void>;
  /** Handed each security event, beside the webhook of the settings. See `createSessionEngine`. */
  readonly onSecurityEvent?: SecurityEventHandler;
}

/**
 * The sessions of one process: settings, logger, engine and handlers, wired by the first use of any of them, so that a
 * build can load the modules that mount them without settings and without a store. Reading a part throws ConfigError
 * for settings that cannot be used.
 */
export interface Sessions {
  readonly config: Config;
  readonly logger: Logger;
  readonly engine: SessionEngine;
  readonly handlers: Handlers;

  /** All endpoints, by their paths, and started by the first request. Never rejects for a fault: that is a problem, 503. */
  readonly fetch: Handler;

  /**
   * Opens the store and the signing keys and begins to follow the revocations; once, whoever calls. Call it where the
   * server starts, so that what cannot work is said there.
   * @throws ConfigError for settings that cannot be used
   * @throws SessionError store_unavailable; the next call tries again
   */
  start(): Promise<void>;

  /** Ends the event streams and the timers and closes the store. The next `openSessions` opens them anew. */
  close(): Promise<void>;
}

const OPEN = Symbol.for("wallet-session.sessions");
/** Some frameworks, Next among them, load one module as several copies. They share one global object. */
const shared = globalThis as { [OPEN]?: Sessions };

/**
 * The sessions of this process, by the settings of its environment: one call mounts the whole service. Every call gives
 * the same ones until they are closed, and only the first one's options count.
 *
 * From now on `node:http` requests carry the address of their peer: see `publishPeerAddress`.
 */
export function openSessions(options: OpenSessionsOptions = {}): Sessions {
  publishPeerAddress();
  shared[OPEN] ??= createSessions(options);
  return shared[OPEN];
}

function createSessions(options: OpenSessionsOptions): Sessions {
  let wired: Parts | undefined;
  let started: Promise<void> | undefined;

  function parts(): Parts {
    wired ??= wire(options);
    return wired;
  }

  async function startOnce(): Promise<void> {
    const { config, logger, engine, startMetrics } = parts();
    await startMetrics();
    await engine.start();
    if (config.horizonUrl === null) {
      logger.warn({ event: "horizon_off", note: "accounts sign in with their master key alone" });
    }
  }

  function start(): Promise<void> {
    started ??= startOnce().catch((error) => {
      started = undefined;
      throw error;
    });
    return started;
  }

  const sessions: Sessions = {
    get config() {
      return parts().config;
    },
    get logger() {
      return parts().logger;
    },
    get engine() {
      return parts().engine;
    },
    get handlers() {
      return parts().handlers;
    },
    async fetch(request) {
      const { handlers } = parts();
      // What cannot start now is tried again by the next request. Health, for one, is answered all the same.
      await start().catch(() => {});
      return handlers.fetch(request);
    },
    start,
    async close() {
      if (shared[OPEN] === sessions) delete shared[OPEN];
      await wired?.close();
    },
  };
  return sessions;
}
