import { type Scenario, STEP_MS } from "../scenario.ts";

export const stolenToken: Scenario = {
  name: "Stolen token",
  summary: "Somebody copies the refresh token. The owner renews first, then the thief uses the copy.",
  rule: "A spent token that comes again, and is no retry, means that two parties hold it. The session is ended before the answer is sent: the thief has nothing, the owner signs again. Had the thief been first, the owner's own renewal would have been the alarm.",

  async run({ client, wire, recorder, pause }) {
    const stolen = client.held;
    if (stolen === null) return;
    recorder.step("body", "copied", stolen.generation);
    recorder.flag("body", "copied", "danger");
    recorder.say("Thief", `Copies refresh token ${stolen.generation}. Nobody can see that yet.`, {
      tone: "notice",
    });
    await pause(STEP_MS);
    await client.refresh();
    const owner = client.held;
    if (owner === null) return;
    await pause(2 * STEP_MS);

    const answer = await wire.send("POST", "/api/auth/refresh", {
      body: { refresh_token: stolen.refreshToken },
    });
    recorder.step("body", "reused", stolen.generation);
    recorder.flag("body", "used again", "danger");
    recorder.say(
      "Thief",
      answer.code === "refresh_token_reused"
        ? `Uses the copy. Token ${stolen.generation} was spent, and this is no retry: the session ends here and now.`
        : "Uses the copy.",
      { tone: "danger", exchange: answer },
    );

    // The event stream has told the client by now. Without a stream, the client learns it by asking.
    await pause(STEP_MS);
    await client.refresh();
    for (const [who, { accessToken }] of [
      ["Client", owner],
      ["Thief", stolen],
    ] as const) {
      const exchange = await wire.send("GET", "/api/auth/session", { bearer: accessToken });
      const text = "An access token that has not ended yet is refused all the same.";
      recorder.say(who, text, { tone: "danger", exchange });
    }
    recorder.say("Lab", "Both ends have stopped. Only the wallet can begin another session.");
  },
};
