import { shortAddress } from "../components/address.tsx";
import type { Tone } from "../components/status-badge.tsx";
import type { StreamStatus } from "../lib/streams/stream.ts";
import type { Stream } from "./stream-data.ts";

export const STATUS_NAMES: Readonly<Record<StreamStatus, string>> = {
  draft: "Draft",
  active: "Active",
  paused: "Paused",
  completed: "Completed",
  cancelled: "Cancelled",
};

export const STATUS_TONES: Readonly<Record<StreamStatus, Tone>> = {
  draft: "plain",
  active: "live",
  paused: "waiting",
  completed: "calm",
  cancelled: "plain",
};

/** The other side of a stream, in a few words: "To GABCDE…UVWXYZ". */
export function otherSide({ role, sender, recipient }: Stream): string {
  return role === "sender" ? `To ${shortAddress(recipient)}` : `From ${shortAddress(sender)}`;
}

/** What a stream is called: its title, or else its other side. */
export function streamName(stream: Stream): string {
  return stream.title ?? otherSide(stream);
}
