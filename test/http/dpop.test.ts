// DPoP against the built app, in two processes on one database, behind something that clients know by another address.
import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { createTokenClient, memoryKey, memoryStorage, stellarSignIn } from "wallet-session/token-client";
import {
  createTestKey,
  type DpopClaims,
  dpopProof,
  hashOf,
} from "../../packages/wallet-session/test/proofs.ts";
import { type AppServer, startApp } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { storedSession } from "../support/database.ts";
import { type Answer, problemOf } from "../support/http-client.ts";
import { createClient, type SessionClient, tokensOf } from "../support/session-client.ts";

const PUBLIC_URL = "http://localhost:3000";
const [WALLET, REFRESH] = ["/api/auth/wallet", "/api/auth/refresh"] as const;

const app = appUnderTest(() => ({ PUBLIC_URL }));
let other: AppServer;
let elsewhere: SessionClient;

beforeAll(async () => {
  other = await startApp({ PUBLIC_URL }, app.server);
  elsewhere = createClient(other, app.witness);
});
afterAll(() => other.stop());

/** The proxy: the first process answers what is sent to the public address, or at times the other. */
function proxied(): typeof fetch {
  let count = 0;
  return (input, init) => {
    const { href } = new URL(input instanceof Request ? input.url : input);
    const { address } = count++ % 2 === 0 ? app.server : other;
    const url = href.replace(PUBLIC_URL, address);
    return input instanceof Request ? fetch(new Request(url, input), init) : fetch(url, init);
  };
}

test("a program signs in, pays, watches, refreshes and signs out, whichever process answers", async () => {
  const { account, sign } = createWalletKeypair();
  const client = createTokenClient({
    url: `${PUBLIC_URL}/api/auth`,
    storage: memoryStorage(),
    dpop: { key: memoryKey() },
    signIn: stellarSignIn(account, sign),
    restMs: 0,
    fetch: proxied(),
  });
  for (let count = 0; count < 4; count += 1) {
    expect((await client.fetch("/api/streams?limit=5")).status).toBe(200);
    expect((await client.refresh()).status).toBe("signed-in");
  }
  const draft = { recipient: createWalletKeypair().account, deposit: "60", duration_seconds: 60 };
  const headers = { "content-type": "application/json", "idempotency-key": crypto.randomUUID() };
  const made = await client.fetch("/api/streams", { method: "POST", headers, body: JSON.stringify(draft) });
  expect(made.status).toBe(201);
  const { id } = await made.json();
  const watched = await client.fetch(`/api/streams/${id}/events`, {
    headers: { accept: "text/event-stream" },
  });
  const reader = watched.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("retry:");
  await reader?.cancel();
  const { sessions } = await (await client.fetch("/api/auth/sessions")).json();
  expect(sessions).toMatchObject([{ binding: "dpop", generation: 5 }]);
  expect((await client.signOut()).status).toBe("signed-out");
});

async function signedIn() {
  const key = createTestKey();
  const proof = (path: string, claims: DpopClaims = {}) =>
    dpopProof(key, { htu: PUBLIC_URL + path, ...claims });
  const body = await app.client.answerFor();
  const answer = await app.client.send("POST", WALLET, { body, headers: { DPoP: proof(WALLET) } });
  const nonceOf = ({ headers }: Answer) => headers.get("dpop-nonce") ?? "";
  return { key, proof, answer, tokens: tokensOf(answer), nonce: nonceOf(answer), nonceOf };
}

test("a refresh that was captured whole, sent again at once or two rotations later, here or there, yields and ends nothing", async () => {
  const { proof, nonceOf, ...first } = await signedIn();
  const { sessionId, refreshToken } = first.tokens;
  const captured = {
    body: { refresh_token: refreshToken },
    headers: { DPoP: proof(REFRESH, { nonce: first.nonce }) },
  };
  const stored = () => JSON.stringify(storedSession(app.server, sessionId));
  let answer = await app.client.send("POST", REFRESH, captured);
  for (const code of ["proof_invalid", "proof_nonce", "proof_nonce"]) {
    const before = stored();
    for (const { send } of [app.client, elsewhere]) {
      expect(problemOf(await send("POST", REFRESH, captured))).toBe(`401 ${code}`);
    }
    expect(stored()).toBe(before);
    answer = await elsewhere.send("POST", REFRESH, {
      body: { refresh_token: tokensOf(answer).refreshToken },
      headers: { DPoP: proof(REFRESH, { nonce: nonceOf(answer) }) },
    });
    expect(answer.json).toMatchObject({ token_type: "DPoP", session_id: sessionId });
  }
});

test("a guarded request counts once, whichever process it is sent to", async () => {
  const { key, tokens } = await signedIn();
  const path = "/api/auth/session";
  const proof = dpopProof(key, { htm: "GET", htu: PUBLIC_URL + path, ath: hashOf(tokens.accessToken) });
  const headers = { Authorization: `DPoP ${tokens.accessToken}`, DPoP: proof };
  expect((await app.client.send("GET", path, { headers })).status).toBe(200);
  for (const { send } of [elsewhere, app.client]) {
    expect(problemOf(await send("GET", path, { headers }))).toBe("401 proof_invalid");
  }
});

test("a token without its proof, as a bearer token, or with two proofs opens nothing under Next", async () => {
  const { key, tokens } = await signedIn();
  const { accessToken } = tokens;
  const path = "/api/auth/session";
  const proof = () => dpopProof(key, { htm: "GET", htu: PUBLIC_URL + path, ath: hashOf(accessToken) });
  const get = async (headers: Record<string, string>) => app.client.send("GET", path, { headers });
  expect(problemOf(await app.client.session(accessToken))).toBe("401 access_token_invalid");
  expect(problemOf(await get({ Authorization: `DPoP ${accessToken}` }))).toBe("401 proof_missing");
  const twice = { Authorization: `DPoP ${accessToken}`, DPoP: [proof(), proof()] };
  const status = await new Promise((resolve, reject) => {
    const sent = request(app.server.address + path, { headers: twice }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on("error", reject).end();
  });
  expect(status).toBe(401);
});
