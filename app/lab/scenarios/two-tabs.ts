import { createSessionClient, errorOf, type SessionClient } from "wallet-session/client";
import { openDemoWallet } from "../../sign-in/demo-wallet.ts";
import type { Party, Recorder } from "../recording.ts";
import { type Scenario, STEP_MS, type Stage } from "../scenario.ts";
import { answerOf } from "../wire.ts";

export const twoTabs: Scenario = {
  name: "Two tabs",
  summary:
    "Two clients of the kind that every page of this app runs share this browser's cookies, and refresh at the same moment, without a lock between them.",
  rule: "Tabs share one jar and race. One request rotates; the other presents its parent within the leeway, with the jar's one retry key, and gets the same successor. A jar younger than two leeways changes nothing at all.",
  unavailable: ({ leewaySeconds }) =>
    leewaySeconds > 10 ? `The jar would first have to grow ${2 * leewaySeconds} seconds old.` : null,

  async run(stage) {
    const { recorder } = stage;
    const first = tab(stage, "Tab A");
    const second = tab(stage, "Tab B");
    let isOwn = false;
    try {
      isOwn = await signIn(stage, first);
      await race(stage, first, second);
    } finally {
      // Neither may renew by itself once this is over.
      for (const client of [first, second]) client.start()();
      // Also when the page is left meanwhile: the lab's session must not stay behind in the person's jar.
      if (isOwn) await first.signOut();
      recorder.end("cookie", isOwn ? "signed-out" : "unwatched");
    }
  },
};

/** Uses the session of this browser where there is one, or begins one for the lab. True where it is the lab's. */
async function signIn({ recorder }: Stage, client: SessionClient): Promise<boolean> {
  const { status } = await client.check();
  if (status === "signed-in") {
    recorder.say(
      "Lab",
      "This browser is signed in: the two tabs use its session. Renewing it does it no harm.",
    );
    return false;
  }
  recorder.say(
    "Lab",
    "This browser is not signed in: the lab signs in for the two tabs, and out when they are done.",
  );
  const wallet = await openDemoWallet({ getItem: () => null, setItem: () => {} });
  await client.signIn({ account: wallet.account, sign: (challenge) => wallet.sign(challenge) });
  return true;
}

async function race({ recorder, settings, pause }: Stage, first: SessionClient, second: SessionClient) {
  const lifeMs = settings.accessTokenSeconds * 1_000;
  const before = await rowAtServer();
  // The server rounds what is left down to whole seconds.
  const ageMs = Math.max(0, lifeMs - (before.expires_in + 1) * 1_000);
  recorder.begin("cookie", before.generation);
  drawAccess(recorder, before.generation, recorder.now() - ageMs, lifeMs);
  const youngMs = 2 * settings.leewaySeconds * 1_000 - ageMs;
  if (youngMs > 0) {
    recorder.say(
      "Lab",
      `The jar is younger than two leeways (${2 * settings.leewaySeconds} s): waiting, or nothing would rotate.`,
    );
    await pause(youngMs + STEP_MS);
  }

  await Promise.all([first.refresh(), second.refresh()]);
  const after = await rowAtServer();
  recorder.step("cookie", "begun", after.generation);
  recorder.step("cookie", "replayed", after.generation);
  drawAccess(recorder, after.generation, recorder.now(), lifeMs);
  recorder.flag("cookie", "two at once", "good");
  recorder.say(
    "Server",
    `Both go on, as the same session. Two requests, and the generation rose by ${after.generation - before.generation}, to ${after.generation}.`,
    { tone: "good" },
  );

  await pause(STEP_MS);
  await second.refresh();
  const unchanged = await rowAtServer();
  recorder.flag("cookie", "unchanged", "calm");
  recorder.say(
    "Server",
    `Asked once more, a moment later: the generation is ${unchanged.generation}. A jar this young is left as it is, so that no late answer overwrites a newer one.`,
    { tone: "good" },
  );
}

function tab({ recorder, settings }: Stage, who: Party): SessionClient {
  return createSessionClient({
    cookieName: settings.cookieName,
    leewaySeconds: settings.leewaySeconds,
    // A lock would put them in a row: a browser without locks, or with a frozen tab that holds it, has none.
    environment: { locks: undefined },
    fetch: async (input, init = {}) => {
      const response = fetch(input, init);
      const exchange = await answerOf(input, init, response);
      recorder.say(who, SAID[`${exchange.method} ${exchange.path}`] ?? "Asks the server.", { exchange });
      return response;
    },
  });
}

const SAID: Record<string, string> = {
  "GET /api/auth/session": "Asks who is signed in.",
  "GET /api/auth/wallet": "Gets a challenge.",
  "POST /api/auth/wallet": "Signs in: the tokens go into cookies that no script can read.",
  "POST /api/auth/refresh": "Refreshes by cookie. What the answer brings, the jar keeps.",
  "POST /api/auth/logout": "Signs out, and the jar is empty again.",
};

function drawAccess(recorder: Recorder, generation: number, from: number, lifeMs: number) {
  recorder.accessToken("cookie", { generation, from, until: from + lifeMs, renewalAt: null, arrived: true });
}

/** The session of the jar, as the server has it. */
async function rowAtServer(): Promise<{ generation: number; expires_in: number }> {
  const response = await fetch("/api/auth/session", { cache: "no-store" });
  if (!response.ok) throw await errorOf(response);
  return response.json();
}
