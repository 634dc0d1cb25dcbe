import { authPaths } from "../auth-paths.ts";
import { type Config, readConfig } from "../config/config.ts";
import { madeSecrets } from "../config/made-secrets.ts";
import { type ConfigError, PREFIX } from "../config/settings.ts";
import type { DatabaseUrl } from "../databases/url.ts";
import { createSessionEngine, type SessionEngineOptions } from "../engine/create-session-engine.ts";
import type { SecurityEventHandler } from "../engine/security-event.ts";
import type { ClaimsOf, SessionEngine } from "../engine/session-engine.ts";
import { SessionError } from "../errors.ts";
import { createHandlers } from "../http/create-handlers.ts";
import { HEALTH_PATH } from "../http/endpoints/operations.ts";
import { type Handler, isPathOf } from "../http/handler.ts";
import type { Handlers, HandlersOptions } from "../http/handlers.ts";
import { requestIdHeader } from "../http/observed.ts";
import { peerAddress, publishPeerAddress } from "../http/request/client-address.ts";
import type { SignInHook } from "../http/sign-in-hook.ts";
import { createEventLog, describeFault } from "../logging/event-log.ts";
import { createLogger, type Logger } from "../logging/logger.ts";
import type { SessionStore } from "../store.ts";
import { UnfitStore } from "../stores/unfit-store.ts";
import { untilDone } from "../until-done.ts";
import { createStellarWallet, horizonSigners, masterKeyOnly } from "../wallets/stellar.ts";
import { lateMetrics } from "./late-metrics.ts";
import { openStore, type StoreSettings } from "./open-store.ts";
import { securityWebhook } from "./security-webhook.ts";

export interface SessionsOptions {
  /** Where the settings are read, at first use (docs/configuration.md). @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `AUTH_BASE_PATH`, for an app that says in code where it mounts the endpoints. @default the setting of `env` */
  readonly basePath?: string;
  /**
   * Opens the store. Gets what `DATABASE_URL` names, and the settings beside it.
   * @default {@link openStore}, which knows the stores of the package
   */
  readonly openStore?: (url: DatabaseUrl, settings: StoreSettings) => SessionStore;
  /** What else has to answer before this process is ready. See {@link HandlersOptions.ready}. @default nothing else */
  readonly ready?: () => Promise<void>;
  /** What the app's own endpoints add to `/api/openapi.json`. See {@link HandlersOptions.openapi}. @default nothing */
  readonly openapi?: HandlersOptions["openapi"];
  /**
   * Gets each security event, beside the webhook of the settings. See {@link SessionEngineOptions.onSecurityEvent}.
   * @default none
   */
  readonly onSecurityEvent?: SecurityEventHandler;
  /** Asked about each account that signs in. See {@link HandlersOptions.onSignIn}. @default everybody may sign in */
  readonly onSignIn?: SignInHook;
  /** Own claims of access tokens. See {@link SessionEngineOptions.claims}. @default none */
  readonly claims?: ClaimsOf;
  /** `aud` of access tokens. See {@link SessionEngineOptions.audience}. @default the origin of `PUBLIC_URL` */
  readonly audience?: string | readonly string[];
}

/**
 * A whole service: settings, logger, engine and handlers. The first use of any of them wires them all, so that a build can
 * load the modules that mount them without settings and without a store. Reading a part throws {@link ConfigError} for
 * settings that cannot be used.
 */
export interface Sessions {
  readonly config: Config;
  readonly logger: Logger;
  readonly engine: SessionEngine;
  readonly handlers: Handlers;

  /** All endpoints, by their paths. The first request starts the service. Never rejects: a fault is a problem, 503. */
  readonly fetch: Handler;

  /**
   * Opens the store and the signing keys and begins to follow the revocations. More calls share the first one's start. Call
   * it where the server starts, to hear there of what cannot work.
   * @throws ConfigError for settings that cannot be used
   * @throws SessionError store_unavailable; the next call tries again
   */
  start(): Promise<void>;

  /** Ends the event streams and the timers and closes the store. The parts are of no use after it. */
  close(): Promise<void>;
}

/**
 * Wires the whole service by the settings of the environment. Each call makes sessions of its own: keep them in a module. In
 * Next, which loads a module as several copies, take `sharedSessions` of `wallet-session/next`.
 *
 * From then on, requests of `node:http` carry the address of their peer: see {@link publishPeerAddress}.
 *
 * @example
 * ```ts
 * import { createSessions } from "wallet-session/server";
 *
 * const sessions = createSessions();
 *
 * export default { fetch: sessions.fetch };
 * ```
 */
export function createSessions(options: SessionsOptions = {}): Sessions {
  publishPeerAddress();
  let wired: Parts | undefined;

  function parts(): Parts {
    wired ??= wire(options);
    return wired;
  }

  const start = untilDone(async () => {
    const { config, logger, engine, startMetrics } = parts();
    await startMetrics();
    await engine.start();
    if (config.horizonUrl === null) {
      logger.warn({ event: "horizon_off", note: "accounts sign in with their master key alone" });
    }
  });

  return {
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
      // The next request tries a failed start again.
      const starting = start().catch(() => {});
      // A store that does not answer is no reason to restart the process, so its probe does not wait for one.
      if (!isPathOf(HEALTH_PATH, new URL(request.url).pathname)) await starting;
      return handlers.fetch(request);
    },
    start,
    async close() {
      await wired?.close();
    },
  };
}

/** What the settings make. Nothing of it has started. */
interface Parts extends Pick<Sessions, "config" | "logger" | "engine" | "handlers" | "close"> {
  /** Loads the metrics, where the settings want them. @throws Error where `prom-client` is not installed */
  startMetrics(): Promise<void>;
}

/** Puts each part into the one above it. Opens the store. @throws ConfigError for settings that cannot be used */
function wire(options: SessionsOptions): Parts {
  const { env = process.env, basePath } = options;
  const config = readConfig(
    { ...env, ...(basePath !== undefined && { [`${PREFIX}AUTH_BASE_PATH`]: basePath }) },
    madeSecrets("data"),
  );
  const { metricsToken, horizonUrl } = config;
  const logger = createLogger(config.logLevel);
  const metrics = lateMetrics({ basePath: config.authBasePath });
  const onSecurityEvent = securityEventHandler(options, config);
  const log = createEventLog({ logger, onDropped: metrics.onLineDropped });
  const engine = createSessionEngine({
    store: (options.openStore ?? openStore)(config.databaseUrl, {
      databaseMigrate: config.databaseMigrate,
      redisDurability: config.redisDurability,
      onWarning: (warning) => logger.warn({ event: "store_warning", warning }),
    }),
    secrets: config.authSecrets,
    issuer: config.publicUrl.origin,
    accessTtlMs: config.accessTtlMs,
    refreshIdleTtlMs: config.refreshIdleTtlMs,
    refreshAbsoluteTtlMs: config.refreshAbsoluteTtlMs,
    refreshLeewayMs: config.refreshLeewayMs,
    onEvent: both(metrics.onEvent, log.onEvent),
    ...(onSecurityEvent === null ? {} : { onSecurityEvent }),
    ...(options.claims && { claims: options.claims }),
    ...(options.audience !== undefined && { audience: options.audience }),
    ...(metricsToken === null ? {} : { onStoreStep: metrics.onStoreStep }),
  });
  const wallet = createStellarWallet({
    signingSeed: config.stellarSigningSeed,
    networkPassphrase: config.stellarNetworkPassphrase,
    homeDomain: config.homeDomain,
    webAuthEndpoint: config.publicUrl.origin + authPaths(config.authBasePath).wallet,
    accountSigners: horizonUrl === null ? masterKeyOnly : horizonSigners({ horizonUrl: horizonUrl.href }),
  });
  const handlers = createHandlers({
    engine,
    wallet,
    publicUrl: config.publicUrl,
    trustedOrigins: config.trustedOrigins,
    basePath: config.authBasePath,
    cookieName: config.cookieName,
    rateLimit: config.rateLimit,
    introspectionClients: config.introspectionClients,
    deviceBinding: config.deviceBinding,
    clientAddress: addressFinder(config, logger),
    // Without a proxy in front, anybody can write this header.
    requestId: (request) => (config.trustedProxies > 0 ? requestIdHeader(request) : null),
    onRequest: both(metrics.onRequest, log.onRequest),
    onFault: both(metrics.onFault, log.onFault),
    ...(options.ready && { ready: options.ready }),
    ...(options.openapi && { openapi: options.openapi }),
    ...(options.onSignIn && { onSignIn: options.onSignIn }),
    ...(metricsToken === null ? {} : { metrics: { token: metricsToken, render: metrics.render } }),
  });
  return {
    config,
    logger,
    engine,
    handlers,
    startMetrics: async () => {
      if (metricsToken !== null) await metrics.load(engine, handlers);
    },
    async close() {
      handlers.closeEventStreams();
      await engine.close();
      log.close();
    },
  };
}

/** Says once that clients are not known: nothing limits those. */
function addressFinder({ trustedProxies }: Config, logger: Logger): (request: Request) => string | null {
  let isSaid = false;
  return (request) => {
    const address = peerAddress(request, trustedProxies);
    if (address === null && !isSaid) {
      isSaid = true;
      logger.warn({
        event: "client_address_unknown",
        note: "no address in the entry that TRUSTED_PROXIES counts",
      });
    }
    return address;
  };
}

/** Both the app's own and the webhook, where there are both: an event is delivered when each has taken it. */
function securityEventHandler(options: SessionsOptions, config: Config): SecurityEventHandler | null {
  const own = options.onSecurityEvent;
  const webhook = config.securityWebhook && securityWebhook(config.securityWebhook);
  if (own === undefined || webhook === null) return own ?? webhook;
  return async (event, signal) => {
    await Promise.all([own(event, signal), webhook(event, signal)]);
  };
}

function both<Told>(first: (told: Told) => void, second: (told: Told) => void): (told: Told) => void {
  return (told) => {
    first(told);
    second(told);
  };
}

/**
 * What to say of a start that failed because a store does not answer. That is no reason to end: a supervisor would start the
 * process again and again through an outage. Requests are answered 503, and the start is tried again.
 *
 * Null where waiting cures nothing: settings that cannot be used, and a store that must not be worked with as it is.
 *
 * @example
 * ```ts
 * import { createSessions, outageAtStart } from "wallet-session/server";
 *
 * await createSessions().start().catch((error) => {
 *   const outage = outageAtStart(error);
 *   if (outage === null) throw error;
 *   console.error(outage);
 * });
 * ```
 */
export function outageAtStart(error: unknown): string | null {
  if (!(error instanceof SessionError) || error.cause instanceof UnfitStore) return null;
  return `The store fails, and until it does not, requests are answered 503: ${describeFault(error.cause)}`;
}
