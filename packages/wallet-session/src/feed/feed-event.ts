/** One event of the server. */
export interface FeedEvent {
  /** Names this event alone, and its place in the server's order; null where the server gives it none. */
  readonly id: string | null;
  readonly type: string;
  /** Parsed from JSON; NOT checked any further. */
  readonly data: unknown;
}

/**
 * `idle`: nobody is signed in, or the feed has not been started. `connecting`: on the way. `live`: events come as they
 * happen. `waiting`: there is no connection, and the next try is planned.
 */
export type FeedStatus = "idle" | "connecting" | "live" | "waiting";

export function isFeedStatus(status: unknown): status is FeedStatus {
  return status === "idle" || status === "connecting" || status === "live" || status === "waiting";
}
