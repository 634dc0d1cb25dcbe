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
    const response = token === null ? null : await wire.connect(PATH, token, signal);
    if (response !== null) {
      const exchange = { method: "GET", path: PATH, status: response.status, code: null };
      recorder.connect("body");
      recorder.say("Event stream", greeting, { exchange });
      greeting = "Connected again.";
      // A connection that breaks says nothing about the session.
      const ended = await readToEnd(response, recorder).catch(() => false);
      recorder.disconnect("body");
      if (ended) return true;
      if (!signal.aborted)
        recorder.say("Event stream", "The connection is gone; the session is not.", { tone: "notice" });
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
  return false;
}

/** Records each event. True if the last one says that the session has ended. */
async function readToEnd(response: Response, recorder: Recorder): Promise<boolean> {
  for await (const { event, data } of eventsOf(response)) {
    const { code, expires_in: seconds } = data;
    if (event === "session.renewed") {
      recorder.say("Event stream", `session.renewed: good for ${seconds} s. The same connection goes on.`);
    } else if (event === "session.expiring") {
      recorder.say("Event stream", `session.expiring: ${seconds} s left, unless somebody renews.`);
    } else if (event === "session.ended" && code === "access_token_expired") {
      recorder.say("Event stream", `session.ended, ${code}: nobody renewed in time. It may live on.`);
      return false;
    } else if (event === "session.ended") {
      recorder.say("Event stream", `session.ended, ${code}: said by the server, then closed.`, {
        tone: "danger",
      });
      recorder.flag("body", String(code), "danger");
      return true;
    }
  }
  return false;
}

/** The server writes an event as one line with its name and one with its data, and an empty line after them. */
async function* eventsOf(response: Response) {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const frames = (text + chunk.value).split("\n\n");
    text = frames.pop() ?? "";
    for (const frame of frames) {
      const event = /^event: (.+)$/m.exec(frame)?.[1];
      const data = /^data: (.+)$/m.exec(frame)?.[1];
      if (event === undefined || data === undefined) continue;
      yield { event, data: JSON.parse(data) as Readonly<Record<string, unknown>> };
    }
  }
}
