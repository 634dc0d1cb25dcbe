import { type Config, readConfig } from "../config/config.ts";
import { madeSecrets } from "../config/made-secrets.ts";
import { createSessionEngine } from "../engine/engine.ts";
import type { SecurityEventHandler } from "../engine/security-event.ts";
import type { SessionEngine } from "../engine/session-engine.ts";
import { createHandlers, type Handlers } from "../http/handlers.ts";
import { requestIdHeader } from "../http/observed.ts";
import { peerAddress } from "../http/request/client-address.ts";
import { createEventLog, createLogger, type Logger } from "../logging.ts";
import { createStellarWallet, horizonSigners, masterKeyOnly } from "../wallets/stellar.ts";
import { lateMetrics } from "./late-metrics.ts";
import type { OpenSessionsOptions } from "./open-sessions.ts";
import { openStore } from "./open-store.ts";
import { securityWebhook } from "./security-webhook.ts";

/** What the settings make: each part put into the one above it. Opens the store and starts nothing. */
export interface Parts {
  readonly config: Config;
  readonly logger: Logger;
  readonly engine: SessionEngine;
  readonly handlers: Handlers;
  /** Loads what the metrics need, where they are wanted. @throws Error where it is not installed */
  startMetrics(): Promise<void>;
  /** Ends the event streams and the timers and closes the store. */
  close(): Promise<void>;
}

/** @throws ConfigError for settings that cannot be used */
export function wire(options: OpenSessionsOptions): Parts {
  const config = readConfig(options.env ?? process.env, madeSecrets("data"));
  const { metricsToken, horizonUrl } = config;
  const logger = createLogger(config.logLevel);
  const metrics = lateMetrics();
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
    ...(metricsToken === null ? {} : { onStoreStep: metrics.onStoreStep }),
  });
  const wallet = createStellarWallet({
    signingSeed: config.stellarSigningSeed,
    networkPassphrase: config.stellarNetworkPassphrase,
    homeDomain: config.homeDomain,
    webAuthEndpoint: `${config.publicUrl.origin}/api/auth/wallet`,
    accountSigners: horizonUrl === null ? masterKeyOnly : horizonSigners({ horizonUrl: horizonUrl.href }),
  });
  const handlers = createHandlers({
    engine,
    wallet,
    publicUrl: config.publicUrl,
    rateLimit: config.rateLimit,
    clientAddress: (request) => peerAddress(request, config.trustedProxies),
    // Without a proxy in front the header is anybody's own word.
    requestId: (request) => (config.trustedProxies > 0 ? requestIdHeader(request) : null),
    onRequest: both(metrics.onRequest, log.onRequest),
    onFault: both(metrics.onFault, log.onFault),
    ...(options.ready && { ready: options.ready }),
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

/** Both the app's own and the webhook, where there are both: an event is delivered when each has taken it. */
function securityEventHandler(options: OpenSessionsOptions, config: Config): SecurityEventHandler | null {
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
