// Whether the time of a refusal tells what is known here: each pair is refused alike, and only one of the two is nearly right.
import { readChallenge, writeChallenge } from "../src/bindings/challenge.ts";
import { readDeviceId } from "../src/bindings/device-id.ts";
import { ACTOR, SECRET } from "../src/engine/engine.fixture.ts";
import { createRequest, startHttp } from "../src/http/http.fixture.ts";
import { newSessionId } from "../src/session-id.ts";
import { createMemoryStore } from "../src/stores/memory.ts";
import { createWalletKeypair } from "../src/testing/wallet-keypair.ts";
import { readRefreshToken } from "../src/tokens/refresh-token.ts";
import { createKeyring } from "../src/tokens/secrets.ts";
import { deviceId, keyring, refreshTokens } from "./fuzz/forge.ts";
import { Random } from "./simulation/random.ts";

/** Two that are to take the same time. */
interface Pair {
  readonly name: string;
  readonly known: () => unknown;
  readonly unknown: () => unknown;
  /** Where it is none, the difference is measured all the same. @default true */
  readonly isSecret?: boolean;
}

export interface Timed {
  readonly name: string;
  readonly samples: number;
  /** By how much longer the known one takes, and the standard error of that, in nanoseconds. */
  readonly longerNs: number;
  readonly errorNs: number;
  /** Welch's. */
  readonly t: number;
  /** The difference is no chance, and more than the share of the time that another machine's load makes. */
  readonly tells: boolean;
  readonly isSecret: boolean;
}

/** Calls in one sample, since the clock is not fine enough for one. */
const CALLS = 8;
const WARM_UP_SAMPLES = 500;
/** The slowest are the machine's doing. */
const KEPT_SHARE = 0.8;
const T_MAX = 4.5;
const SHARE_MAX = 0.02;

/** The text with another bit in its `at`th byte of base64url. */
function altered(text: string, at: number): string {
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + (text[index] === "A" ? "Q" : "A") + text.slice(index + 1);
}

async function pairs(): Promise<Pair[]> {
  const { bytes: random } = new Random("timing");
  const CLIENT = { id: "boats", secret: "the-secret-of-the-boats" };
  const METRICS = { token: "the token of the metrics", render: async () => ({ contentType: "", text: "" }) };
  const store = createMemoryStore();
  const { engine, clock, handlers, signIn, wallet } = await startHttp({
    store,
    metrics: METRICS,
    introspectionClients: [CLIENT],
  });
  const key = createWalletKeypair();
  const { session_id } = await signIn(key);
  const [refreshToken = ""] = refreshTokens;
  const secrets = createKeyring([SECRET]);
  const nonce = writeChallenge(
    secrets.signing,
    { use: "request", sessionId: null },
    { generation: 0, presented: 0 },
    clock.now(),
    random,
  );
  const read = (text: string) =>
    readChallenge(secrets, text, { use: "request", sessionId: null }, clock.now(), 60_000);
  const introspect = (id: string, secret: string) => () =>
    handlers.introspect(
      createRequest("POST", "/api/auth/introspect", {
        headers: {
          Authorization: `Basic ${btoa(`${id}:${secret}`)}`,
          "Content-Type": "application/x-www-form-urlencoded",
        },
        body: "token=x",
      }),
    );
  const metrics = (token: string) => () =>
    handlers.metrics(createRequest("GET", "/api/metrics", { headers: { Authorization: `Bearer ${token}` } }));
  const pair = <T>(name: string, run: (given: T) => unknown, known: T, unknown: T): Pair => ({
    name,
    known: () => run(known),
    unknown: () => run(unknown),
  });
  const refused = (call: Promise<unknown>) => call.catch(() => null);
  return [
    pair(
      "a refresh token's MAC, right but for its end",
      (text) => readRefreshToken(keyring, text),
      altered(refreshToken, -1),
      altered(refreshToken, -20),
    ),
    pair("a nonce's MAC, right but for its end", read, altered(nonce, -3), altered(nonce, -20)),
    pair(
      "a device key's MAC, right but for its end",
      (text) => readDeviceId(keyring, text),
      altered(deviceId, -3),
      altered(deviceId, -20),
    ),
    {
      name: "a client's secret, right but for its end",
      known: introspect("boats", altered(CLIENT.secret, -1)),
      unknown: introspect("boats", altered(CLIENT.secret, 0)),
    },
    { name: "a client's id", known: introspect("boats", "x"), unknown: introspect("boat5", "x") },
    {
      name: "the token of the metrics, right but for its end",
      known: metrics(altered(METRICS.token, -1)),
      unknown: metrics(altered(METRICS.token, 0)),
    },
    pair(
      "an account that has signed in",
      (account) => wallet.challenge({ account }),
      key.account,
      createWalletKeypair().account,
    ),
    {
      ...pair(
        "somebody else's session",
        (id) => refused(engine.revokeSession(ACTOR, id)),
        session_id,
        newSessionId(random),
      ),
      // An id opens nothing, and nobody comes to one by trying.
      isSecret: false,
    },
  ];
}

/** Measures each pair with this many samples of each side, in a random order. */
export async function timings(samples: number): Promise<Timed[]> {
  const random = new Random("order");
  const timed: Timed[] = [];
  for (const { name, known, unknown, isSecret = true } of await pairs()) {
    const sides = [known, unknown] as const;
    const taken: [number[], number[]] = [[], []];
    for (let sample = -WARM_UP_SAMPLES; sample < 2 * samples; sample++) {
      const side = random.below(2) === 0 ? 0 : 1;
      const begun = process.hrtime.bigint();
      for (let call = 0; call < CALLS; call++) await sides[side]();
      const ns = Number(process.hrtime.bigint() - begun) / CALLS;
      if (sample >= 0) taken[side].push(ns);
    }
    timed.push({ name, isSecret, samples: 2 * samples, ...compared(taken) });
  }
  return timed;
}

function compared([known, unknown]: readonly [readonly number[], readonly number[]]) {
  const all = [...known, ...unknown].sort((a, b) => a - b);
  const most = all[Math.floor(all.length * KEPT_SHARE)] ?? 0;
  const [a, b] = [known, unknown].map((side) => moments(side.filter((ns) => ns <= most))) as [
    Moments,
    Moments,
  ];
  const longerNs = a.mean - b.mean;
  const errorNs = Math.sqrt(a.variance / a.count + b.variance / b.count);
  const t = longerNs / errorNs;
  return { longerNs, errorNs, t, tells: Math.abs(t) > T_MAX && Math.abs(longerNs) > SHARE_MAX * b.mean };
}

interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
}

function moments(values: readonly number[]): Moments {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}
