import type { AuthPaths } from "../auth-paths.ts";
import type { Stopwatch } from "../clock.ts";
import type { StoreStepTrace } from "../engine/guarded-store.ts";
import { ERROR_MEANINGS, type ErrorMeaning } from "../error-codes.ts";
import type { EventSink } from "../events.ts";
import type { RequestReport, RequestSink } from "../http/observed.ts";
import type { Counted } from "./definitions.ts";

export function countEvents(counted: Counted): EventSink {
  return (event) => {
    switch (event.type) {
      case "signed_in":
        return counted.signIns.add(["signed_in"]);
      case "refreshed":
        return counted.refreshes.add([event.outcome, ""]);
      case "refresh_refused":
        return counted.refreshes.add([event.code, event.why]);
      case "bound":
        return counted.bound.add([event.kind]);
      case "proof_failed":
        return counted.proofFailures.add([]);
      case "reuse_detected":
        return counted.reuseAlarms.add([]);
      case "revoked":
        return counted.revocations.add([event.reason], event.sessionIds.length);
      case "revocations_reasserted":
        return counted.reasserted.add([], event.count);
      case "revocation_learned":
        return counted.revocationLag.observe([], event.lagMs / 1_000);
      case "store_fault":
        return counted.storeFaults.add([event.step]);
      case "security_event_delivered":
        return counted.deliveries.add(["delivered"]);
      case "security_event_failed":
        return counted.deliveries.add([event.outcome]);
      case "security_event_given_up":
        return counted.deliveries.add(["given_up"]);
      case "security_events_expired":
        return counted.deliveries.add(["expired"], event.events);
      case "signing_key_added":
      case "signing_key_unreadable":
        return;
    }
  };
}

export function countRequests(counted: Counted, paths: AuthPaths): RequestSink {
  return (report) => {
    const { method, route, status, code, durationMs } = report;
    const errorType = code ?? (status >= 500 ? String(status) : "");
    counted.requests.observe([method, route, String(status), errorType], durationMs / 1_000);
    if (code === "rate_limited") counted.rateLimited.add([route]);
    if (report.skipped !== null) counted.skipped.add([report.skipped]);
    if (method === "POST" && route === paths.deviceRegister) {
      counted.deviceRegistrations.add([code ?? "registered"]);
    }
    if (method === "POST" && route === paths.deviceRefresh) counted.deviceRefreshes.add([code ?? "renewed"]);
    if (code !== null) countUnreported(counted, paths, report, code);
  };
}

/** What ended before the engine could report it, or without a report of it but the fault. */
function countUnreported(
  counted: Counted,
  paths: AuthPaths,
  { route, method }: RequestReport,
  code: string,
): void {
  if (route === paths.wallet && method === "POST") counted.signIns.add([code]);
  if (route === paths.refresh && !isReported(code)) counted.refreshes.add([code, ""]);
}

/** By the engine, as `refresh_refused`: it has refused a token for good. A token that is missing does not reach it. */
function isReported(code: string): boolean {
  const meanings: Readonly<Record<string, ErrorMeaning>> = ERROR_MEANINGS;
  return code !== "refresh_token_missing" && meanings[code]?.ends === true;
}

export function timeStoreSteps(counted: Counted, stopwatch: Stopwatch): StoreStepTrace {
  return (step) => {
    const begunAt = stopwatch();
    return (outcome) => counted.storeSteps.observe([step, outcome], (stopwatch() - begunAt) / 1_000);
  };
}
