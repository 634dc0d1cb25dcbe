import {
  createTokenClient,
  type Fetch,
  memoryKey,
  memoryStorage,
  stellarSignIn,
  type TokenClient,
} from "wallet-session/token-client";
import { openDemoWallet } from "../../sign-in/demo-wallet.ts";
import { type Scenario, STEP_MS, type Stage } from "../scenario.ts";
import { answerOf } from "../wire.ts";

const LANE = "bound";

export const stolenButBound: Scenario = {
  name: "Stolen, but bound",
  summary:
    "A second session is bound to a P-256 key that this page made and no script can read. Somebody copies everything else that its owner holds.",
  rule: "Who proves the session's key is its owner, and nobody else is anybody. A copy without the key opens nothing and ends nothing: it is refused, nothing is written, the owner goes on and is told. A browser that binds its cookies to a key of the device has the same protection.",

  async run(stage) {
    const { recorder, wire, pause } = stage;
    const owner = await signedIn(stage);
    try {
      const stolen = owner.held();
      recorder.step(LANE, "copied", 1);
      recorder.flag(LANE, "all copied", "danger");
      recorder.say(
        "Thief",
        "Copies all that the owner has stored: access token, refresh token and retry key.",
        {
          tone: "notice",
        },
      );
      await pause(STEP_MS);

      const refresh = { refresh_token: stolen.refreshToken };
      const refused = await wire.send("POST", "/api/auth/refresh", { body: refresh });
      recorder.flag(LANE, "refused", "good");
      recorder.say("Thief", "Uses the refresh token. It is refused, and the session does not end.", {
        exchange: refused,
      });
      const bearer = stolen.accessToken;
      const exchange = await wire.send("GET", "/api/auth/session", { bearer });
      recorder.say("Thief", "Uses the access token. It opens nothing without the key.", { exchange });
      await pause(2 * STEP_MS);

      await owner.client.refresh();
      const session = await rowOf(owner.client);
      recorder.step(LANE, "begun", session.generation);
      draw(stage, session.generation);
      recorder.flag(LANE, "goes on", "good");
      recorder.say("Owner", `Renewed, with a proof of the key: generation ${session.generation}.`, {
        tone: "good",
      });
      if (session.proof_failed_at !== null) {
        const at = new Date(session.proof_failed_at).toLocaleTimeString("en", { hour12: false });
        recorder.say("Owner", `Is told in the list of sessions: a copy was tried at ${at}.`, {
          tone: "good",
        });
      }
    } finally {
      // Also when the page is left meanwhile.
      await owner.client.signOut();
      recorder.end(LANE, "signed-out");
    }
  },
};

interface Held {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** An owner of a session that is bound to a new key. `held`: what can be copied of it. */
async function signedIn(stage: Stage): Promise<{ client: TokenClient; held: () => Held }> {
  const { recorder, wire } = stage;
  const wallet = await openDemoWallet({ getItem: () => null, setItem: () => {} });
  const storage = memoryStorage();
  let stored = "";
  const recorded: Fetch = async (input, init = {}) => {
    const response = wire.fetch(input, init);
    const exchange = await answerOf(input, init, response);
    const text = SAID[`${exchange.method} ${exchange.path}`];
    if (text !== undefined) recorder.say("Owner", text, { exchange });
    return response;
  };
  const client = createTokenClient({
    url: new URL("/api/auth", location.href),
    storage: {
      ...storage,
      save: async (text) => {
        stored = text ?? "";
        await storage.save(text);
      },
    },
    fetch: recorded,
    restMs: 0,
    dpop: { key: memoryKey() },
  });
  await client.signIn(stellarSignIn(wallet.account, (challenge) => wallet.sign(challenge)));
  recorder.begin(LANE, 1);
  draw(stage, 1);
  return { client, held: () => JSON.parse(stored) };
}

const SAID: Record<string, string> = {
  "POST /api/auth/wallet": "Signs in with a proof of a new key, to which the session is bound for good.",
  "POST /api/auth/refresh": "Refreshes with a proof of the key.",
  "GET /api/auth/sessions": "Looks at the list of sessions.",
  "POST /api/auth/logout": "Signs out: this session was the lab's own.",
};

/** The owner's session, as the list of sessions has it. */
async function rowOf(
  client: TokenClient,
): Promise<{ readonly generation: number; readonly proof_failed_at: string | null }> {
  const response = await client.fetch("/api/auth/sessions");
  const { sessions } = await response.json();
  return sessions.find(({ current }: { current: boolean }) => current);
}

function draw({ recorder, settings }: Stage, generation: number): void {
  const from = recorder.now();
  const until = from + settings.accessTokenSeconds * 1_000;
  recorder.accessToken(LANE, { generation, from, until, renewalAt: null, arrived: true });
}
