import type { Recorder } from "./recording.ts";
import type { Wire } from "./wire.ts";

interface SessionEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const PATH = "/api/auth/events";
const RECONNECT_MS = 1_000;

/**
 * Watches a session by its event stream, and connects again when the connection is lost. Calls `onEnded` when the server has
 * ended the session.
 */
export function watchSession(
  { wire, recorder }: { wire: Wire; recorder: Recorder },
  bearer: () => string | null,
  onEnded: () => void,
): () => void {
  const leaving = new AbortController();
  watch(wire, recorder, bearer, leaving.signal).then((ended) => {
    if (ended) onEnded();
  });
  return () => leaving.abort();
}

/** True if the server has said that the session has ended. */
async function watch(
  wire: Wire,
  recorder: Recorder,
  bearer: () => string | null,
  signal: AbortSignal,
): Promise<boolean> {
  let connections = 0;
  while (!signal.aborted) {
    const token = bearer();
    const response = token === null ? null : await wire.connect(PATH, token, signal);
    if (response !== null) {
      connections += 1;
      recorder.connect("body");
      recorder.say(
        "stream",
        connections === 1 ? "Open: it will tell what becomes of the session." : "Connected again.",
        {
          exchange: { method: "GET", path: PATH, status: response.status, code: null },
        },
      );
      const ended = await readToEnd(response, recorder);
      recorder.disconnect("body");
      if (ended) return true;
      if (!signal.aborted)
        recorder.say("stream", "The connection is gone; the session is not.", { tone: "notice" });
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
  return false;
}

/** Records each event. True if the last one says that the session has ended. */
async function readToEnd(response: Response, recorder: Recorder): Promise<boolean> {
  try {
    for await (const { event, data } of eventsOf(response)) {
      switch (event) {
        case "session.renewed":
          recorder.say(
            "stream",
            `session.renewed: good for ${data.expires_in} s. The same connection goes on.`,
          );
          break;
        case "session.expiring":
          recorder.say("stream", `session.expiring: ${data.expires_in} s left, unless somebody renews.`);
          break;
        case "session.ended":
          if (data.code === "access_token_expired") {
            recorder.say(
              "stream",
              "session.ended, access_token_expired: nobody renewed in time. It may live on.",
            );
            return false;
          }
          recorder.say("stream", `session.ended, ${data.code}: said by the server, then closed.`, {
            tone: "danger",
          });
          recorder.flag("body", String(data.code), "danger");
          return true;
      }
    }
  } catch {
    // A connection that breaks says nothing about the session.
  }
  return false;
}

/** The server writes an event as one line with its name and one with its data, and an empty line after them. */
async function* eventsOf(response: Response): AsyncGenerator<SessionEvent> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const frames = (text + chunk.value).split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) {
      const event = /^event: (.+)$/m.exec(frame)?.[1];
      const data = /^data: (.+)$/m.exec(frame)?.[1];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
    }
  }
}
