import type { Tone } from "../components/status-badge.tsx";
import type { Failure, Operation, OperationStatus } from "./operation-data.ts";

export const STATUS_NAMES: Readonly<Record<OperationStatus, string>> = {
  queued: "Queued",
  running: "Running",
  paused: "Paused",
  completed: "Completed",
  cancelled: "Cancelled",
};

export const STATUS_TONES: Readonly<Record<OperationStatus, Tone>> = {
  queued: "plain",
  running: "live",
  paused: "waiting",
  completed: "calm",
  cancelled: "plain",
};

/** Why a stream was not settled. */
export const FAILURE_WORDS: Readonly<Record<Failure["reason"], string>> = {
  recipient_missing: "the recipient’s account is not on the network",
  recipient_refuses: "the recipient’s account does not take the payment",
  rejected: "the network does not take the payment",
};

export function streamCount(count: number): string {
  return count === 1 ? "1 stream" : `${count.toLocaleString("en")} streams`;
}

/** What it is about and how it stands: "Settling 12 streams". */
export function statusText({ status, total, failed }: Operation): string {
  switch (status) {
    case "queued":
      return `About to settle ${streamCount(total)}`;
    case "running":
      return `Settling ${streamCount(total)}`;
    case "paused":
      return `Settling ${streamCount(total)} is paused`;
    case "completed":
      return failed === 0
        ? `Settled ${streamCount(total)}`
        : `Settled all but ${failed} of ${streamCount(total)}`;
    case "cancelled":
      return `Settling ${streamCount(total)} was cancelled`;
  }
}

/** "412 of 1,000" */
export function progressText({ done, total }: Operation): string {
  return `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
}

/** Seconds until all is done at the present pace; null where there is none. */
export function secondsLeft({ status, done, total, rate_per_second: rate }: Operation): number | null {
  if (status !== "running" || rate === null || rate <= 0) return null;
  return Math.ceil((total - done) / rate);
}
