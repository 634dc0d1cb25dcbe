import { type Scenario, STEP_MS } from "../scenario.ts";

export const offline: Scenario = {
  name: "Offline",
  summary: "The network goes away just when a renewal is due, and comes back.",
  rule: "Silence is no refusal. Only a documented code of the server's own ends a session; no answer, a 5xx, a 429 or a stranger's page never does. The token and its key are kept, and the retry is safe whatever the server has done.",

  async run({ client, wire, recorder, pause }) {
    wire.cut();
    recorder.openSpan("body", "offline");
    recorder.flag("body", "network gone", "notice");
    recorder.say("Lab", "The network is cut between the client and the server.");
    try {
      client.startRenewing();
      await client.refresh();
      await client.call();
      await pause(4 * STEP_MS);
    } finally {
      wire.mend();
      client.stopRenewing();
      recorder.closeSpan("body");
    }
    recorder.flag("body", "back", "good");
    recorder.say("Lab", "The network is back.");
    await client.refresh();
    await client.call();
  },
};
