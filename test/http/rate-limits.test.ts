// Rate limits over HTTP, as they are by default: by the address of the socket, which no header can change.
import { request } from "node:http";
import { beforeAll, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { type Answer, problemOf } from "../support/http-client.ts";
import { newRetryKey, type Tokens } from "../support/session-client.ts";

const app = appUnderTest(() => ({ RATE_LIMIT: "on" }));
const behindProxy = appUnderTest(() => ({ RATE_LIMIT: "on", TRUSTED_PROXIES: "1" }), startServe);

/** More than two minutes' worth, so that the limit shows even where a new minute begins on the way. */
const FLOOD_AT_MOST = 1_300;
const AT_ONCE = 16;
/** Of a minute's limit: time enough for a few requests, however busy the machine. */
const LEFT_SECONDS = 5;

const challengePath = `/api/auth/wallet?account=${createWalletKeypair().account}`;

let busy: Tokens;
let other: Tokens;
// Before the flood, which no sign-in from its address survives.
beforeAll(async () => {
  busy = await app.client.signIn();
  other = await app.client.signIn();
});

/** Asks for challenges until one is refused. */
async function flood(): Promise<{ refused: Answer; sent: number }> {
  for (let sent = AT_ONCE; sent <= FLOOD_AT_MOST; sent += AT_ONCE) {
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, () => app.client.send("GET", challengePath)),
    );
    const refused = answers.find(({ status }) => status !== 200);
    if (refused !== undefined) return { refused, sent };
  }
  throw new Error(`no limit within ${FLOOD_AT_MOST} challenges`);
}

/** @throws where it does not say: then it is no refusal for a while */
function secondsToWait({ headers, status }: Answer): number {
  const seconds = Number(headers.get("retry-after"));
  if (!(seconds > 0)) throw new Error(`${status}, without a time to wait`);
  return seconds;
}

test("an honest wallet never meets them; a flood does, whatever it writes into its headers", async () => {
  const { client } = app;
  for (let i = 0; i < 5; i++) {
    let { refreshToken } = await client.signIn();
    for (let j = 0; j < 10; j++) refreshToken = (await client.rotated(refreshToken)).refreshToken;
  }
  const known = await client.signIn();

  const { refused: first, sent } = await flood();
  expect(sent).toBeGreaterThan(500);
  let refused = first;
  // What is refused at the end of a minute says nothing of the requests below.
  while (secondsToWait(refused) < LEFT_SECONDS) refused = (await flood()).refused;
  expect(problemOf(refused)).toBe("429 rate_limited");
  expect(secondsToWait(refused)).toBeLessThanOrEqual(60);
  expect(refused.headers.get("access-control-allow-origin")).toBe("*");

  for (const headers of [
    { "X-Forwarded-For": "203.0.113.9" },
    { "X-Forwarded-For": "203.0.113.9, 198.51.100.9" },
    { "X-Real-IP": "203.0.113.9" },
    { Forwarded: "for=203.0.113.9" },
    { "X-Wallet-Session-Peer": "203.0.113.9" },
  ]) {
    const answer = await client.send("GET", challengePath, { headers });
    expect([headers, problemOf(answer)]).toEqual([headers, "429 rate_limited"]);
  }
  // A signed-in client is known by its session, not by the address that it shares.
  expect((await client.refresh(known.refreshToken)).status).toBe(200);
  expect((await client.session(known.accessToken)).status).toBe(200);
});

// Elsewhere the loopback has one address.
test.runIf(process.platform === "linux")("another address is another client", async () => {
  // Beyond the limit of one client, over five.
  for (let client = 2; client < 7; client++) {
    const statuses = await Promise.all(
      Array.from({ length: 150 }, () => statusFrom(`127.0.0.${client}`, challengePath)),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  }
});

test("one session that refreshes all the time is slowed down, and not ended", async () => {
  const { client } = app;
  const retryKey = newRetryKey();
  const answers: Answer[] = [];
  for (let i = 0; i < 250 && answers.at(-1)?.status !== 429; i++) {
    answers.push(await client.refresh(busy.refreshToken, retryKey));
  }
  const last = answers.pop();
  expect(last && problemOf(last)).toBe("429 rate_limited");
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await client.session(busy.accessToken)).status).toBe(200);
  expect((await client.refresh(other.refreshToken)).status).toBe(200);
});

/** The status of a GET that is sent from an address of this machine. */
function statusFrom(localAddress: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(new URL(path, app.server.address), { localAddress }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    })
      .once("error", reject)
      .end();
  });
}

test("behind a proxy that writes ports, brackets and quotes, each client has its own limit; an unknown one is said", async () => {
  const statusOf = async (entry: string) => {
    const headers = { "X-Forwarded-For": entry };
    return (await behindProxy.client.send("GET", challengePath, { headers })).status;
  };
  let [status, port] = [200, 0];
  while (status === 200 && port < FLOOD_AT_MOST) {
    port += AT_ONCE;
    const entries = Array.from({ length: AT_ONCE }, (_, at) => `"[2001:db8::9]:${port + at}"`);
    status = Math.max(...(await Promise.all(entries.map(statusOf))));
  }
  expect([status, await statusOf("203.0.113.9:4711")]).toEqual([429, 200]);
  const warnings = () => behindProxy.server.output().match(/"event":"client_address_unknown"/g)?.length ?? 0;
  expect(warnings()).toBe(0);
  for (let i = 0; i < 3; i++) expect(await statusOf("unknown")).toBe(200);
  await expect.poll(warnings).toBe(1);
});
