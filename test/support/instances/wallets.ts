// Wallets that use a number of instances at once, over a network that cuts one connection in ten. They keep the rules for
// clients (docs/clients.md) and write down whatever they ask and hear.

import { randomInt, randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { createWalletKeypair } from "wallet-session/testing";
import { ACCESS_COOKIE, RETRY_COOKIE } from "../cookies.ts";
import { jarWith } from "../session-client.ts";
import { type Asked, ask, type Heard, recorded } from "./exchange.ts";
import type { Exchange, SignIn } from "./history.ts";

/** Of a hundred requests, so many are cut, somewhere between their sending and their answer. */
const CUT_PERCENT = 10;
const CUT_WITHIN_MS = 30;
const PAUSE_MS = 25;
/** After a request whose answer was lost, for as long as that may still be at work, no new rotation (docs/protocol.md). */
const LOST_REQUEST_LIVES_MS = 5_000;

/** One installation, as a load balancer sees it, and what was asked of it. */
export interface Installation {
  readonly addresses: readonly string[];
  readonly origin: string;
  readonly exchanges: Exchange[];
  readonly signIns: SignIn[];
  /** How long its store was away in all. */
  storeAwayMs: number;
  /** True once the wallets shall come to an end. They finish what they have begun. */
  over: boolean;
}

interface Holding {
  readonly sessionId: string;
  readonly byCookie: boolean;
  refreshToken: string;
  generation: number;
  accessToken: string;
  /** Made once for each token, kept until the next one is there. */
  retryKey: string;
  spent: string | null;
  quietUntil: number;
}

type Ending = "logout" | "theft" | "stays";

/** Signs in, renews and checks its session at whichever instance it meets, ends it, and begins again. */
export async function runWallet(installation: Installation): Promise<void> {
  while (!installation.over) {
    const session = await signIn(installation);
    if (session === null) {
      await delay(PAUSE_MS);
      continue;
    }
    const ending: Ending = ["logout", "theft", "stays"][randomInt(3)] as Ending;
    for (let uses = randomInt(4, 30); uses > 0 && !installation.over; uses -= 1) {
      await act(installation, session);
      await delay(randomInt(PAUSE_MS));
    }
    if (ending === "logout") await logOut(installation, session);
    if (ending === "theft" && session.spent !== null) await steal(installation, session, session.spent);
    if (ending !== "stays") await presentAfterTheEnd(installation, session);
  }
}

async function signIn(installation: Installation): Promise<Holding | null> {
  const wallet = createWalletKeypair();
  const byCookie = randomInt(3) === 0;
  const challenge = await send(installation, {
    method: "GET",
    path: `/api/auth/wallet?account=${wallet.account}`,
  });
  const { transaction, network_passphrase } = challenge?.json ?? {};
  if (typeof transaction !== "string" || typeof network_passphrase !== "string") return null;
  const body = { transaction: wallet.sign({ transaction, network_passphrase }) };
  const headers = byCookie ? { "Session-Transport": "cookie", Origin: installation.origin } : {};
  // Twice at once, as a proxy that sends a request again does: one challenge makes one session.
  const answers = await Promise.all(
    [0, 1].map(() => send(installation, { method: "POST", path: "/api/auth/wallet", headers, body })),
  );
  const made = answers.filter((answer) => answer?.status === 200);
  for (const { json } of made.filter((answer) => answer !== null)) {
    installation.signIns.push({ challenge: transaction, sessionId: String(json.session_id) });
  }
  const [first] = made;
  if (first?.successor == null) return null;
  return {
    sessionId: String(first.json.session_id),
    byCookie,
    refreshToken: first.successor.token,
    generation: first.successor.generation,
    accessToken: accessTokenIn(first),
    retryKey: randomUUID(),
    spent: null,
    quietUntil: 0,
  };
}

async function act(installation: Installation, session: Holding): Promise<void> {
  if (performance.now() < session.quietUntil || randomInt(2) === 0) await check(installation, session);
  else await refreshUntilAnswered(installation, session);
}

/** A guarded route that reads no row of the session. */
async function check(installation: Installation, session: Holding): Promise<Heard | null> {
  const headers: Record<string, string> = session.byCookie
    ? { Cookie: `${ACCESS_COOKIE}=${session.accessToken}` }
    : { Authorization: `Bearer ${session.accessToken}` };
  return exchange(installation, session, "check", { method: "GET", path: "/api/auth/sessions", headers });
}

/** With one and the same key, until there is an answer, now and then at two instances at once. */
async function refreshUntilAnswered(installation: Installation, session: Holding): Promise<void> {
  for (;;) {
    const both = randomInt(8) === 0 ? 2 : 1;
    const answers = await Promise.all(Array.from({ length: both }, () => refresh(installation, session)));
    if (answers.includes(null)) session.quietUntil = performance.now() + LOST_REQUEST_LIVES_MS;
    const heard = answers.find((answer) => answer?.successor != null);
    if (heard?.successor != null) {
      session.spent = session.refreshToken;
      session.refreshToken = heard.successor.token;
      session.generation = heard.successor.generation;
      session.accessToken = accessTokenIn(heard);
      session.retryKey = randomUUID();
      return;
    }
    // Refused: the checker says what it thinks of that. Anything else is tried again.
    if (answers.some((answer) => answer?.status === 401) || installation.over) return;
    await delay(randomInt(PAUSE_MS, 4 * PAUSE_MS));
  }
}

function refresh(installation: Installation, session: Holding): Promise<Heard | null> {
  const { byCookie, refreshToken, retryKey } = session;
  const asked: Asked = byCookie
    ? {
        method: "POST",
        path: "/api/auth/refresh",
        headers: {
          Origin: installation.origin,
          Cookie: `${jarWith(refreshToken)}; ${RETRY_COOKIE}=${retryKey}`,
        },
      }
    : {
        method: "POST",
        path: "/api/auth/refresh",
        headers: { "Idempotency-Key": retryKey },
        body: { refresh_token: refreshToken },
      };
  return exchange(installation, session, "refresh", asked);
}

async function logOut(installation: Installation, session: Holding): Promise<void> {
  const asked: Asked = session.byCookie
    ? {
        method: "POST",
        path: "/api/auth/logout",
        headers: { Origin: installation.origin, Cookie: jarWith(session.refreshToken) },
      }
    : { method: "POST", path: "/api/auth/logout", body: { refresh_token: session.refreshToken } };
  while ((await exchange(installation, session, "end", asked))?.status !== 204) {
    if (installation.over) return;
    await delay(PAUSE_MS);
  }
}

/** A copy of a spent token in other hands, which have no retry key. It must come when no retry is in the leeway. */
async function steal(installation: Installation, session: Holding, spent: string): Promise<void> {
  if (session.byCookie) return logOut(installation, session);
  const asked: Asked = { method: "POST", path: "/api/auth/refresh", body: { refresh_token: spent } };
  while ((await exchange(installation, session, "theft", asked, session.generation - 1))?.status !== 401) {
    if (installation.over) return;
    await delay(PAUSE_MS);
  }
}

/** Both tokens, at every instance, until the access token is refused there. */
async function presentAfterTheEnd(installation: Installation, session: Holding): Promise<void> {
  await refresh(installation, session);
  const refusedAt = new Set<number>();
  while (refusedAt.size < installation.addresses.length && !installation.over) {
    for (const instance of installation.addresses.keys()) {
      if (refusedAt.has(instance)) continue;
      const headers = session.byCookie
        ? { Cookie: `${ACCESS_COOKIE}=${session.accessToken}` }
        : { Authorization: `Bearer ${session.accessToken}` };
      const asked: Asked = { method: "GET", path: "/api/auth/sessions", headers };
      const heard = await exchangeAt(installation, session, "check", asked, instance);
      if (heard?.status === 401) refusedAt.add(instance);
    }
    await delay(PAUSE_MS);
  }
}

function exchange(
  installation: Installation,
  session: Holding,
  kind: Exchange["kind"],
  asked: Asked,
  generation = session.generation,
): Promise<Heard | null> {
  const instance = randomInt(installation.addresses.length);
  return exchangeAt(installation, session, kind, asked, instance, generation);
}

function exchangeAt(
  installation: Installation,
  { sessionId, generation }: Holding,
  kind: Exchange["kind"],
  asked: Asked,
  instance: number,
  presented = generation,
): Promise<Heard | null> {
  const of = { kind, sessionId, generation: presented, instance };
  return recorded(installation.exchanges, of, () =>
    ask(installation.addresses[instance] ?? "", cutNowAndThen(asked)),
  );
}

function send(installation: Installation, asked: Asked): Promise<Heard | null> {
  const address = installation.addresses[randomInt(installation.addresses.length)] ?? "";
  return ask(address, cutNowAndThen(asked));
}

function cutNowAndThen(asked: Asked): Asked {
  return randomInt(100) < CUT_PERCENT ? { ...asked, cutAfterMs: randomInt(CUT_WITHIN_MS) } : asked;
}

function accessTokenIn({ json, setCookies }: Heard): string {
  if (typeof json.access_token === "string") return json.access_token;
  const cookie = setCookies.find((line) => line.startsWith(`${ACCESS_COOKIE}=`));
  return cookie?.slice(`${ACCESS_COOKIE}=`.length).split(";")[0] ?? "";
}
