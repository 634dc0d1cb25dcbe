import { type FeedEvent, readEventStream } from "wallet-session/feed";
import type { Recorder } from "./recording.ts";
import type { Wire } from "./wire.ts";

const PATH = "/api/auth/events";
const RECONNECT_MS = 1_000;

/**
 * Watches a session by its event stream, and connects again when the connection is lost, until `signal` ends it. True if the
 * server has said that the session has ended.
 */
export async function watchSession(
  wire: Wire,
  recorder: Recorder,
  bearer: () => string | null,
  signal: AbortSignal,
): Promise<boolean> {
  let greeting = "Open: it will tell what becomes of the session.";
  while (!signal.aborted) {
    const token = bearer();
    const headers = { accept: "text/event-stream", authorization: `Bearer ${token}` };
    const response =
      token === null ? undefined : await wire.fetch(PATH, { headers, signal }).catch(() => undefined);
    if (response?.ok) {
      const exchange = { method: "GET", path: PATH, status: response.status, code: null };
      recorder.connect("body");
      recorder.say("Event stream", greeting, { exchange });
      greeting = "Connected again.";
      let ended = false;
      const onEvent = ({ type, data }: FeedEvent) => {
        ended = isEnd(type, { ...Object(data) }, recorder);
      };
      // A connection that breaks says nothing about the session.
      await readEventStream(response, { onEvent }, signal).catch(() => {});
      recorder.disconnect("body");
      if (ended) return true;
      if (!signal.aborted)
        recorder.say("Event stream", "The connection is gone; the session is not.", { tone: "notice" });
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
  return false;
}

/** Records an event. True if it says that the session has ended. */
function isEnd(
  type: string,
  { code, expires_in: seconds }: Readonly<Record<string, unknown>>,
  recorder: Recorder,
): boolean {
  if (type === "session.renewed") {
    recorder.say("Event stream", `session.renewed: good for ${seconds} s. The same connection goes on.`);
  } else if (type === "session.expiring") {
    recorder.say("Event stream", `session.expiring: ${seconds} s left, unless somebody renews.`);
  } else if (type === "session.ended" && code === "access_token_expired") {
    recorder.say("Event stream", `session.ended, ${code}: nobody renewed in time. It may live on.`);
  } else if (type === "session.ended") {
    const text = `session.ended, ${code}: said by the server, then closed.`;
    recorder.say("Event stream", text, { tone: "danger" });
    recorder.flag("body", String(code), "danger");
    return true;
  }
  return false;
}
