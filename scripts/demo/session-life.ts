import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createWalletKeypair } from "../../packages/wallet-session/src/testing/wallet-keypair.ts";
import {
  type Answer,
  connectTo,
  DemoError,
  type Send,
  type SessionEvents,
  text,
  watchSession,
} from "./server.ts";

const RENEWS_AFTER_MS = 2_000;

/** Runs the demo and returns the exit code. */
export async function demo(baseUrl: string): Promise<number> {
  console.log(`The life of a session, against ${baseUrl}\n`);
  try {
    await sessionLife(connectTo(baseUrl), (accessToken) => watchSession(baseUrl, accessToken));
    console.log("\nAll as promised.");
    return 0;
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    console.error(`\n${error.message}`);
    return 1;
  }
}

async function sessionLife(
  send: Send,
  watch: (accessToken: string) => Promise<SessionEvents>,
): Promise<void> {
  const wallet = createWalletKeypair();
  step("Key", `a new Stellar account, ${short(wallet.account)}`);

  const challenge = await send("GET", `/api/auth/wallet?account=${wallet.account}`);
  expectStatus(challenge, 200);
  step("Challenge", `a transaction to sign, on "${text(challenge, "network_passphrase")}"`);

  const transaction = wallet.sign({
    transaction: text(challenge, "transaction"),
    network_passphrase: text(challenge, "network_passphrase"),
  });
  const signedIn = await send("POST", "/api/auth/wallet", { body: { transaction } });
  expectStatus(signedIn, 200);
  step(
    "Sign-in",
    `session ${text(signedIn, "session_id")}; the access token lives ${signedIn.body.expires_in} s`,
  );

  const events = await watch(text(signedIn, "access_token"));
  step("Watch", "an event stream is open on the session, with that access token");
  // The times of tokens are whole seconds: renewed within one, there would be nothing new to tell.
  await delay(RENEWS_AFTER_MS);

  let current = signedIn;
  for (const count of ["first", "second", "third"]) {
    current = await refresh(send, current);
    expectStatus(current, 200);
    step(
      "Refresh",
      `the ${count}: a new access token, and refresh token ${short(text(current, "refresh_token"))}`,
    );
  }

  const renewed = await events.next("session.renewed");
  step(
    "Watch",
    `the same connection says session.renewed, good for ${renewed.expires_in} s: nothing reconnects`,
  );

  const key = randomUUID();
  const lost = await refresh(send, current, key);
  const retried = await refresh(send, current, key);
  expectStatus(lost, 200);
  if (text(lost, "refresh_token") !== text(retried, "refresh_token")) {
    throw new DemoError("The retry was given another successor than the answer that was lost.");
  }
  step("Retry", "an answer was lost; the same Idempotency-Key brings the very same successor again");

  const replayed = await refresh(send, current);
  expectRefusal(replayed, "refresh_token_reused");
  step("Theft", `a token that was rotated away comes again: ${replayed.status} ${replayed.body.code}`);

  const ended = await events.next("session.ended");
  if (ended.code !== "refresh_token_reused") throw new DemoError(`The event stream said ${ended.code}.`);
  await events.closed();
  step("Watch", `the event stream says session.ended, ${ended.code}, and closes`);

  const successor = await refresh(send, retried);
  expectRefusal(successor, "refresh_token_revoked");
  step("Ended", `the successor is dead too, for every holder: ${successor.status} ${successor.body.code}`);

  const session = await send("GET", "/api/auth/session", {
    headers: { authorization: `Bearer ${text(retried, "access_token")}` },
  });
  expectRefusal(session, "session_revoked");
  step("Ended", `so is the access token that had minutes to live: ${session.status} ${session.body.code}`);
}

function refresh(send: Send, answer: Answer, retryKey?: string): Promise<Answer> {
  return send("POST", "/api/auth/refresh", {
    body: { refresh_token: text(answer, "refresh_token") },
    ...(retryKey === undefined ? {} : { headers: { "idempotency-key": retryKey } }),
  });
}

function step(name: string, what: string): void {
  console.log(`  ${name.padEnd(10)} ${what}`);
}

/** Enough to tell two apart, not enough to use. */
function short(value: string): string {
  return `${value.slice(0, 9)}…${value.slice(-4)}`;
}

function expectStatus(answer: Answer, status: number): void {
  if (answer.status === status) return;
  throw new DemoError(
    `Expected ${status}, the server answered ${answer.status}: ${JSON.stringify(answer.body)}`,
  );
}

function expectRefusal(answer: Answer, code: string): void {
  if (answer.body.code === code) return;
  throw new DemoError(`Expected ${code}, the server answered ${answer.status} ${String(answer.body.code)}.`);
}
