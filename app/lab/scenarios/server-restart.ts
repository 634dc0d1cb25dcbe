import type { Scenario, Stage } from "../scenario.ts";
import type { Answer } from "../wire.ts";

const POLL_MS = 300;
const PATIENCE_MS = 60_000;

export const serverRestart: Scenario = {
  name: "Server restart",
  summary: "The server's process is ended and another one started, in the middle of it all.",
  rule: "A session is a row in the store, and so are the signing keys, sealed. A new process takes up where the old one stopped: the access token verifies, the refresh token rotates.",
  unavailable: ({ isSupervised }) =>
    isSupervised ? null : "Nothing would start this server again. Run it with npm run lab.",

  async run(stage) {
    const { client, recorder, wire } = stage;
    const before = client.held;
    if (before === null) return;
    const bearer = before.accessToken;
    // Asked before: the process that ends may take its answer with it.
    const running = await wire.send("GET", "/api/lab/server", { bearer });
    const restart = running.status === 200 ? await wire.send("POST", "/api/lab/server", { bearer }) : running;
    if (running.status !== 200 || (restart.status !== 202 && restart.status !== null)) {
      recorder.say("Server", "Was not restarted.", { tone: "danger", exchange: restart });
      return;
    }
    const ended = running.body.process_id;
    recorder.openSpan("body", "no server");
    recorder.flag("body", "process ended", "notice");
    recorder.say("Server", `Process ${ended} ends.`, { tone: "notice", exchange: restart });

    const back = await untilAnother(stage, ended);
    recorder.closeSpan("body");
    if (back === null) {
      recorder.say("Lab", `No server within ${PATIENCE_MS / 1_000} seconds.`, { tone: "danger" });
      return;
    }
    recorder.flag("body", "process started", "good");
    recorder.say("Server", "Another process answers.", { tone: "good", exchange: back });
    await client.call();
    await client.refresh();
    const { answer } = await client.generationAtServer();
    if (answer.body.session_id === before.sessionId) {
      recorder.say("Server", `It is the same session, ${before.sessionId.slice(0, 6)}…, in a new process.`, {
        tone: "good",
        exchange: answer,
      });
    }
  },
};

/** The first answer of a process other than `ended`; null where none comes in time. */
async function untilAnother(
  { client, recorder, wire, pause }: Stage,
  ended: unknown,
): Promise<Answer | null> {
  let isGone = false;
  for (const deadline = recorder.now() + PATIENCE_MS; recorder.now() < deadline; await pause(POLL_MS)) {
    const answer = await wire.send("GET", "/api/lab/server", { bearer: client.held?.accessToken ?? "" });
    if (answer.status === null) {
      if (!isGone)
        recorder.say("Client", "No answer: the client waits.", { tone: "notice", exchange: answer });
      isGone = true;
    } else if (isGone || (answer.status === 200 && answer.body.process_id !== ended)) {
      return answer;
    }
  }
  return null;
}
