import type { AuthPaths } from "../auth-paths.ts";
import { SKIPPED } from "../http/request/skipped-proof.ts";
import { REVOCATION_REASONS } from "../store.ts";
import type { Series } from "./series.ts";

/** As OpenTelemetry advises for `http.server.request.duration`. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** From a step in memory to a store that has used up its limit in time. */
const STEP_SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Around the second and the five seconds within which a revocation has to arrive. */
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];

/** What is counted and timed as it happens. docs/observability.md has each by name. */
export type Counted = ReturnType<typeof defineCounted>;

export function defineCounted(series: Series, paths: AuthPaths) {
  return {
    requests: series.times(
      "http_server_request_duration_seconds",
      "Time until the answer to a request was there.",
      ["http_request_method", "http_route", "http_response_status_code", "error_type"],
      REQUEST_SECONDS,
    ),
    rateLimited: series.count(
      "wallet_session_rate_limited_total",
      "Requests refused because there were too many.",
      ["http_route"],
      [[paths.refresh], [paths.wallet]],
    ),
    refreshes: series.count(
      "wallet_session_refreshes_total",
      "Refreshes by outcome: rotated, replayed, unchanged, or the code of the refusal or fault, and its cause.",
      ["outcome", "cause"],
      ["rotated", "replayed", "unchanged", "store_unavailable"].map((outcome) => [outcome, ""] as const),
    ),
    signIns: series.count(
      "wallet_session_sign_ins_total",
      "Signed challenges by outcome: signed_in, or the code of the refusal or fault.",
      ["outcome"],
      [["signed_in"], ["store_unavailable"]],
    ),
    bound: series.count(
      "wallet_session_bound_total",
      "Sessions bound to a key, by its kind: device, by a browser, or dpop.",
      ["kind"],
      [["device"], ["dpop"]],
    ),
    proofFailures: series.count(
      "wallet_session_proof_failures_total",
      "Sessions whose tokens came without a proof of their key, once an hour for each: copies, most likely.",
      [],
      [[]],
    ),
    deviceRegistrations: series.count(
      "wallet_session_device_registrations_total",
      "Device keys that browsers have registered, by outcome: registered, or the code of the refusal or fault.",
      ["outcome"],
      [["registered"]],
    ),
    deviceRefreshes: series.count(
      "wallet_session_device_refreshes_total",
      "Refreshes by browsers with a device key, by outcome: renewed, or the code; proof_nonce asks for a proof.",
      ["outcome"],
      [["renewed"], ["proof_nonce"], ["store_unavailable"]],
    ),
    skipped: series.count(
      "wallet_session_device_proofs_skipped_total",
      "Requests that a browser has sent without a proof of its device key, by the reason that it gives.",
      ["reason"],
      SKIPPED.map((reason) => [reason] as const),
    ),
    reuseAlarms: series.count(
      "wallet_session_reuse_alarms_total",
      "Sessions ended because a spent refresh token came again.",
      [],
      [[]],
    ),
    revocations: series.count(
      "wallet_session_revocations_total",
      "Sessions that this process has ended before their time, by reason.",
      ["reason"],
      REVOCATION_REASONS.map((reason) => [reason] as const),
    ),
    reasserted: series.count(
      "wallet_session_revocations_reasserted_total",
      "Sessions that were live again in a store older than before, and that this process has revoked anew.",
      [],
      [[]],
    ),
    revocationLag: series.times(
      "wallet_session_revocation_lag_seconds",
      "From the time of a revocation on another process until this one knew of it, by the clocks of both.",
      [],
      LAG_SECONDS,
    ),
    storeSteps: series.times(
      "wallet_session_store_step_duration_seconds",
      "Time that a step of the store took, by step and outcome.",
      ["step", "outcome"],
      STEP_SECONDS,
    ),
    storeFaults: series.count(
      "wallet_session_store_faults_total",
      "Steps of the store that failed, their outcome unknown.",
      ["step"],
      [["rotate"], ["createSession"], ["revokeSession"], ["revocationsAfter"]],
    ),
    deliveries: series.count(
      "wallet_session_security_event_deliveries_total",
      "Security events by what became of a try to deliver them.",
      ["outcome"],
      [["delivered"], ["unavailable"], ["refused"], ["given_up"], ["expired"]],
    ),
    faults: series.count(
      "wallet_session_faults_total",
      "Faults without a name: answers with 500, and outages of Horizon.",
      [],
      [[]],
    ),
    linesDropped: series.count(
      "wallet_session_log_lines_dropped_total",
      "Log lines left out because there were too many of their kind.",
      ["event"],
      [["refresh_refused"], ["store_fault"], ["request"], ["fault"]],
    ),
  };
}
