import { tail } from "../lab-client.ts";
import { type Scenario, STEP_MS } from "../scenario.ts";

export const lostAnswer: Scenario = {
  name: "Lost answer",
  summary:
    "A refresh reaches the server, and its answer never reaches the client. It retries with the same key.",
  rule: "A retry is known by its Idempotency-Key. The successor is derived, not drawn, so the server can give the identical one again: the generation rises once, and nobody is signed out.",

  async run({ client, wire, recorder, pause }) {
    const before = client.held;
    if (before === null) return;
    let lost = "";
    wire.loseNextAnswer(async ({ body }) => {
      lost = String(body.refresh_token);
      recorder.flag("body", "answer lost", "notice");
      const { answer, generation } = await client.generationAtServer();
      if (generation !== null) {
        const at = recorder.now();
        recorder.step("body", "begun", generation);
        recorder.accessToken("body", { generation, from: at, until: at, renewalAt: null, arrived: false });
        const text = `The server has rotated all the same: its row is at generation ${generation}, and the client still holds ${before.generation}.`;
        recorder.say("Server", text, { exchange: answer });
      }
      await pause(2 * STEP_MS);
    });
    await client.refresh();
    recorder.flag("body", "same successor again", "good");
    const { held } = client;
    if (held?.refreshToken === lost) {
      const text = `It is the very same refresh token ${held.generation} that was lost, byte for byte (…${tail(lost)}). The server wrote nothing.`;
      recorder.say("Server", text, { tone: "good" });
    }

    const after = await client.generationAtServer();
    const rose = (after.generation ?? 0) - before.generation;
    recorder.say("Server", `The generation is ${after.generation}. Two requests, and it rose by ${rose}.`, {
      exchange: after.answer,
      tone: "good",
    });
  },
};
