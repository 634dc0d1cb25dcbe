import { type Scenario, STEP_MS } from "../scenario.ts";

/** Nobody would watch for longer. */
const LONGEST_SECONDS = 60;

export const sleep: Scenario = {
  name: "Sleep",
  summary: "The laptop lid is shut for longer than an access token lives. Nothing renews meanwhile.",
  rule: "An access token that has ended says nothing about the session. The refresh token cures the 401, the request is sent once more, and the wallet is not asked.",
  unavailable: ({ accessTokenSeconds }) =>
    accessTokenSeconds > LONGEST_SECONDS
      ? `You would watch ${accessTokenSeconds / 60} minutes of sleep.`
      : null,

  async run({ client, recorder, pause }) {
    if (client.held === null) return;
    recorder.openSpan("body", "asleep");
    recorder.flag("body", "lid shut", "calm");
    recorder.say("Client", "Falls asleep: no timer fires, nothing is renewed.");
    const wake = client.fallAsleep();
    await pause(client.held.accessEndsAt - recorder.now() + 2 * STEP_MS);
    wake();
    recorder.closeSpan("body");
    recorder.flag("body", "awake", "good");
    recorder.say("Client", "Wakes up, and makes the call that the person is waiting for.");
    await client.call();
  },
};
