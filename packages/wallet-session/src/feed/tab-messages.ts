import { type FeedEvent, type FeedStatus, isFeedStatus } from "./feed-event.ts";

/** What tabs tell each other about the feed that they share. `from`: the tab that holds the connection. */
export type TabMessage =
  | { readonly type: "event"; readonly from: string; readonly event: FeedEvent }
  | {
      readonly type: "status";
      readonly from: string;
      readonly status: FeedStatus;
      readonly lastEventId: string | null;
    }
  /** Asks the holder whether it is there. It answers with its status. */
  | { readonly type: "hello" }
  /** Tells the holder that this machine or its network has just come back. */
  | { readonly type: "woken" };

/** Undefined for anything else, as from another version of the page. */
export function readTabMessage(message: unknown): TabMessage | undefined {
  const { type, from, status, lastEventId, event }: Partial<Record<string, unknown>> = { ...Object(message) };
  if (type === "hello" || type === "woken") return { type };
  if (typeof from !== "string") return undefined;
  if (type === "status" && isFeedStatus(status) && isId(lastEventId))
    return { type, from, status, lastEventId };
  if (type === "event" && isFeedEvent(event)) return { type, from, event };
  return undefined;
}

function isFeedEvent(event: unknown): event is FeedEvent {
  if (typeof event !== "object" || event === null) return false;
  const { id, type } = event as Partial<FeedEvent>;
  return isId(id) && typeof type === "string";
}

function isId(id: unknown): id is string | null {
  return id === null || typeof id === "string";
}
