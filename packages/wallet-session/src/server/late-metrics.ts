import type { SessionEngine } from "../engine/session-engine.ts";
import { SessionError } from "../errors.ts";
import type { Handlers } from "../http/handlers.ts";
import { STORE_RETRY_AFTER_SECONDS } from "../limits.ts";
import { createMetrics, type Metrics, type MetricsOptions } from "../metrics/metrics.ts";
import { untilDone } from "../until-done.ts";

/** Metrics whose sinks are there at once, though what they need is loaded only at the start; until then they count nothing. */
export function lateMetrics(options: MetricsOptions): Omit<Metrics, "watch"> & {
  /** Once; more calls change nothing. @throws Error where `prom-client` is not installed */
  load(engine: SessionEngine, handlers: Handlers): Promise<void>;
} {
  let metrics: Metrics | null = null;
  const made = untilDone(() => createMetrics(options));

  return {
    onEvent: (event) => metrics?.onEvent(event),
    onStoreStep: (step) => metrics?.onStoreStep(step) ?? (() => {}),
    onRequest: (report) => metrics?.onRequest(report),
    onFault: (error) => metrics?.onFault(error),
    onLineDropped: (event) => metrics?.onLineDropped(event),
    async load(engine, handlers) {
      const loaded = await made();
      if (metrics === null) loaded.watch(engine, handlers);
      metrics = loaded;
    },
    async render() {
      if (metrics !== null) return metrics.render();
      throw new SessionError("store_unavailable", "The metrics are not loaded yet.", {
        retryAfterSeconds: STORE_RETRY_AFTER_SECONDS,
      });
    },
  };
}
