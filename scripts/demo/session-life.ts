import { setTimeout as delay } from "node:timers/promises";
import { type FeedEvent, readEventStream } from "../../packages/wallet-session/src/feed.ts";
import { createWalletKeypair } from "../../packages/wallet-session/src/testing/wallet-keypair.ts";
import {
  createTokenClient,
  errorOf,
  memoryStorage,
  SessionClientError,
  stellarSignIn,
} from "../../packages/wallet-session/src/token-client.ts";

const RENEWS_AFTER_MS = 2_000;
/** A server that says nothing must not keep the demo alive. */
const WATCHES_FOR_MS = 20_000;

/** What went otherwise than the demo says; its message is for the person at the terminal. */
class DemoError extends Error {
  override readonly name = "DemoError";
}

/** Runs the demo and returns the exit code. */
export async function demo(baseUrl: string): Promise<number> {
  console.log(`The life of a session, against ${baseUrl}\n`);
  try {
    await sessionLife(baseUrl);
    console.log("\nAll as promised.");
    return 0;
  } catch (error) {
    if (!(error instanceof DemoError || error instanceof SessionClientError)) throw error;
    console.error(`\n${error instanceof DemoError ? error.message : failure(error, baseUrl)}`);
    return 1;
  }
}

function failure({ code, message }: SessionClientError, baseUrl: string): string {
  if (code === "network_error") return `No server answers at ${baseUrl}. Start one with: npm start`;
  if (code === "unexpected_response") return `${baseUrl} is no wallet-session server: ${message}`;
  return `The server refused: ${code}. ${message}`;
}

async function sessionLife(baseUrl: string): Promise<void> {
  const wallet = createWalletKeypair();
  step("Key", `a new Stellar account, ${short(wallet.account)}`);

  const wire = createWire();
  const url = `${new URL(baseUrl).origin}/api/auth`;
  const client = createTokenClient({ url, storage: memoryStorage(), fetch: wire.fetch, restMs: 0 });
  await client.signIn(
    stellarSignIn(wallet.account, (challenge) => {
      step("Challenge", `a transaction to sign, on "${challenge.networkPassphrase}"`);
      return wallet.sign(challenge);
    }),
  );
  const { session_id: sessionId, expires_in: seconds } = wire.answer();
  step("Sign-in", `session ${sessionId}; the access token lives ${seconds} s`);

  const events = watchSession(await client.fetch(`${url}/events`));
  step("Watch", "an event stream is open on the session, with that access token");
  // The times of tokens are whole seconds: renewed within one, there would be nothing new to tell.
  await delay(RENEWS_AFTER_MS);

  for (const count of ["first", "second", "third"]) {
    await client.refresh();
    step("Refresh", `the ${count}: a new access token, and refresh token ${short(wire.refreshToken())}`);
  }

  const { expires_in: renewedFor } = await events.renewed;
  if (renewedFor === undefined) throw new DemoError("The event stream did not say session.renewed.");
  step("Watch", `the same connection says session.renewed, good for ${renewedFor} s: nothing reconnects`);

  const spent = wire.refreshToken();
  const lost = wire.loseNextAnswer();
  await client.refresh();
  if ((await lost) !== wire.refreshToken())
    throw new DemoError("The retry was given another successor than the answer that was lost.");
  step("Retry", "an answer was lost; the same Idempotency-Key brings the very same successor again");

  const accessToken = await client.accessToken();
  const replayed = await refusal(`${url}/refresh`, "refresh_token_reused", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: spent }),
  });
  step("Theft", `a token that was rotated away comes again: ${replayed}`);

  const last = await events.closed;
  if (last !== "session.ended, refresh_token_reused") throw new DemoError(`The event stream said ${last}.`);
  step("Watch", `the event stream says ${last}, and closes`);

  const state = await client.refresh();
  if (state.status !== "signed-out") throw new DemoError("The successor was taken after the theft.");
  step("Ended", `the successor is dead too, for every holder: ${state.reason}`);

  const headers = { authorization: `Bearer ${accessToken}` };
  const session = await refusal(`${url}/session`, "session_revoked", { headers });
  step("Ended", `so is the access token that had minutes to live: ${session}`);
}

/** Resolves with the data of the first renewal, and with what came last before the server closed the event stream. */
function watchSession(response: Response) {
  const renewed = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  let last = "nothing";
  const onEvent = ({ type, data }: FeedEvent) => {
    last = `${type}, ${Object(data).code}`;
    if (type === "session.renewed") renewed.resolve({ ...Object(data) });
  };
  const signal = AbortSignal.timeout(WATCHES_FOR_MS);
  // A connection that breaks says nothing more, and that is what is told.
  const read = readEventStream(response, { onEvent }, signal).catch(() => {});
  const closed = read.then(() => {
    renewed.resolve({});
    return signal.aborted ? `${last}, and does not close` : last;
  });
  return { renewed: renewed.promise, closed };
}

/** The client's network: it keeps the last tokens that came, and can lose an answer. */
function createWire() {
  let answer: Readonly<Record<string, unknown>> = {};
  let lose: ((refreshToken: string) => void) | undefined;
  const refreshToken = () => String(answer.refresh_token);
  return {
    answer: () => answer,
    refreshToken,

    /** Resolves with the refresh token that was in it. */
    loseNextAnswer: () =>
      new Promise<string>((resolve) => {
        lose = resolve;
      }),

    async fetch(...request: Parameters<typeof fetch>): Promise<Response> {
      const response = await fetch(...request);
      if (response.headers.get("content-type")?.startsWith("application/json") !== true) return response;
      answer = await response.clone().json();
      if (lose === undefined) return response;
      lose(refreshToken());
      lose = undefined;
      throw new TypeError("The answer was lost.");
    },
  };
}

/** Sends what must be refused with this code. @throws DemoError where it is not */
async function refusal(url: string, expected: string, init: RequestInit): Promise<string> {
  const { status, code } = await errorOf(await fetch(url, init));
  if (code !== expected) throw new DemoError(`Expected ${expected}, the server answered ${status} ${code}.`);
  return `${status} ${code}`;
}

function step(name: string, what: string): void {
  console.log(`  ${name.padEnd(10)} ${what}`);
}

/** Enough to tell two apart, not enough to use. */
function short(value: string): string {
  return `${value.slice(0, 9)}…${value.slice(-4)}`;
}
