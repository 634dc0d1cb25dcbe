import { AUTH_BASE_PATH, authPaths } from "../auth-paths.ts";
import { type Stopwatch, systemStopwatch } from "../clock.ts";
import type { StoreStepTrace } from "../engine/guarded-store.ts";
import type { SessionEngine } from "../engine/session-engine.ts";
import type { EventSink } from "../events.ts";
import type { FaultSink } from "../http/endpoint.ts";
import type { MetricsText } from "../http/endpoints/operations.ts";
import type { Handlers } from "../http/handlers.ts";
import type { RequestSink } from "../http/observed.ts";
import { LIVE_SESSIONS_COUNTED_MS } from "../limits.ts";
import { missingPackage } from "../missing-package.ts";
import { VERSION } from "../version.ts";
import { defineCounted } from "./definitions.ts";
import { createSeries, type PromClient, type Series } from "./series.ts";
import { countEvents, countRequests, timeStoreSteps } from "./sinks.ts";

/** What is counted of one process, for Prometheus. Its sinks are handed to the engine, the handlers and the log. */
export interface Metrics {
  readonly onEvent: EventSink;
  readonly onStoreStep: StoreStepTrace;
  readonly onRequest: RequestSink;
  readonly onFault: FaultSink;
  /** A log line was left out, by its event. */
  readonly onLineDropped: (event: string) => void;
  /** From now on tells as well what these know of themselves when it is collected. Once. */
  watch(engine: WatchedEngine, handlers: WatchedHandlers): void;
  /** Everything as it is now, in Prometheus' text format. */
  readonly render: () => Promise<MetricsText>;
}

type WatchedEngine = Pick<SessionEngine, "getStats" | "countSessions">;
type WatchedHandlers = Pick<Handlers, "eventStreamCount">;

export interface MetricsOptions {
  /** Where the auth endpoints are. @default "/api/auth" */
  readonly basePath?: string;
  readonly stopwatch?: Stopwatch;
}

/**
 * Metrics in a registry of their own, with those of the process. docs/observability.md has each by name. Labels are
 * templates, codes and names out of closed sets: no client makes a new series.
 * @throws Error where `prom-client` is not installed
 *
 * @example
 * ```ts
 * import { createSessionEngine, type SessionEngineOptions } from "wallet-session";
 * import { createMetrics } from "wallet-session/server";
 *
 * export async function measured(options: SessionEngineOptions) {
 *   const metrics = await createMetrics();
 *   const { onEvent, onStoreStep } = metrics;
 *   return { metrics, engine: createSessionEngine({ ...options, onEvent, onStoreStep }) };
 * }
 * ```
 */
export async function createMetrics(options: MetricsOptions = {}): Promise<Metrics> {
  const { stopwatch = systemStopwatch, basePath = AUTH_BASE_PATH } = options;
  const paths = authPaths(basePath);
  const client = await loadClient();
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  const series = createSeries(client, registry);
  series.constant("wallet_session_build_info", "Always 1. The labels say what runs.", {
    version: VERSION,
    node: process.version,
  });
  const counted = defineCounted(series, paths);
  return {
    onEvent: countEvents(counted),
    onStoreStep: timeStoreSteps(counted, stopwatch),
    onRequest: countRequests(counted, paths),
    onFault: () => counted.faults.add([]),
    onLineDropped: (event) => counted.linesDropped.add([event]),
    watch: (engine, handlers) => watch(series, stopwatch, engine, handlers),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

function watch(series: Series, stopwatch: Stopwatch, engine: WatchedEngine, handlers: WatchedHandlers): void {
  const seconds = (ms: number | null | undefined) => (ms == null ? null : ms / 1_000);
  series.gauge(
    "wallet_session_live_sessions",
    "Sessions neither revoked nor past their absolute end, in the store; counted every 30 s at most.",
    liveSessions(engine, stopwatch),
  );
  series.gauge(
    "wallet_session_revocation_view_age_seconds",
    "Since this process has read the revocation log to its end. From 10 s on it is not ready.",
    () => seconds(engine.getStats().revocationViewAgeMs),
  );
  series.gauge(
    "wallet_session_security_events_waiting",
    "Security events that wait, up to 100; told by the process that delivers them.",
    () => engine.getStats().waitingEvents?.count ?? null,
  );
  series.gauge(
    "wallet_session_security_events_oldest_age_seconds",
    "Age of the oldest security event that waits; told by the process that delivers them.",
    () => seconds(engine.getStats().waitingEvents?.ageMs),
  );
  series.gauge(
    "wallet_session_leases",
    "Leases held on sessions in this process.",
    () => engine.getStats().leases,
  );
  series.gauge("wallet_session_event_streams", "Event streams open in this process.", () =>
    handlers.eventStreamCount(),
  );
}

async function loadClient(): Promise<PromClient> {
  try {
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: false */ "prom-client")).default;
  } catch (cause) {
    throw new Error(missingPackage("METRICS_TOKEN", "prom-client", cause), { cause });
  }
}

/**
 * The number of live sessions as it was last counted; null before that. To ask for it begins to count anew where that was
 * half a minute ago, and waits for nothing: a store may have to look at each session.
 */
function liveSessions(
  engine: Pick<SessionEngine, "countSessions">,
  stopwatch: Stopwatch,
): () => number | null {
  let counted: number | null = null;
  let countedAt = Number.NEGATIVE_INFINITY;
  let counting = false;

  async function count(): Promise<void> {
    counting = true;
    // A fault was reported where it was met. An old number is no number.
    counted = await engine.countSessions().catch(() => null);
    countedAt = stopwatch();
    counting = false;
  }

  return () => {
    if (!counting && stopwatch() - countedAt >= LIVE_SESSIONS_COUNTED_MS) void count();
    return counted;
  };
}
