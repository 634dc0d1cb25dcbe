import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createWalletKeypair } from "../packages/wallet-session/src/testing/wallet-keypair.ts";
import { RETRY_KEY } from "./engine.ts";
import { type Comparison, compare, timed } from "./measure.ts";

const IN_FLIGHT = 32;
const EACH = 150;
const HOST = "127.0.0.1";
const [OURS, BARE] = [34_571, 34_572];

/** Refreshes over HTTP by `wallet-session serve`, against a bare server that reads the same body and signs the same token. */
export async function serve(rounds: number): Promise<Comparison> {
  const settings = {
    DATABASE_URL: "memory:",
    AUTH_SECRET: "a secret of the bench that is long enough",
    STELLAR_SIGNING_SEED: createWalletKeypair().seed,
    HORIZON_URL: "none",
    RATE_LIMIT: "off",
    LOG_LEVEL: "warn",
    PORT: String(OURS),
  };
  const servers = [
    start(["packages/wallet-session/bin/wallet-session.js", "serve"], settings),
    start(["bench/bare-server.ts"], { PORT: String(BARE) }),
  ];
  try {
    await Promise.all([answers(OURS), answers(BARE)]);
    const first = await Promise.all(Array.from({ length: IN_FLIGHT }, signIn));
    const ours = await openConnections(OURS, first);
    const bare = await openConnections(BARE, first);
    try {
      return await compare(rounds, ours.round, bare.round);
    } finally {
      ours.close();
      bare.close();
    }
  } finally {
    for (const server of servers) server.kill();
  }
}

/** Keep-alive connections, each with one request at a time. The least of a client, so that the server is what is measured. */
async function openConnections(port: number, first: readonly string[]) {
  const sockets = first.map(() => connect(port, HOST).setNoDelay());
  const tokens = [...first];
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const refreshEach = async (socket: Socket, at: number) => {
    for (let n = 0; n < EACH; n += 1) tokens[at] = await refresh(socket, tokens[at] ?? "");
  };
  return {
    round: () => timed(IN_FLIGHT * EACH, async () => void (await Promise.all(sockets.map(refreshEach)))),
    close: () => sockets.forEach((socket) => void socket.destroy()),
  };
}

async function refresh(socket: Socket, token: string): Promise<string> {
  const body = JSON.stringify({ refresh_token: token });
  socket.write(
    `POST /api/auth/refresh HTTP/1.1\r\nHost: localhost:${OURS}\r\nContent-Type: application/json\r\n` +
      `Idempotency-Key: ${RETRY_KEY}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let answer = "";
  // All answers are JSON objects of one level.
  while (!answer.endsWith("}")) answer += String((await once(socket, "data"))[0]);
  const [, next] = /"refresh_token":"([^"]+)"/.exec(answer) ?? [];
  if (!answer.startsWith("HTTP/1.1 200") || next === undefined) throw new Error(answer);
  return next;
}

async function signIn(): Promise<string> {
  const wallet = createWalletKeypair();
  const url = `http://${HOST}:${OURS}/api/auth/wallet`;
  const challenge = (await (await fetch(`${url}?account=${wallet.account}`)).json()) as Challenge;
  const body = JSON.stringify({ transaction: wallet.sign(challenge) });
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  return ((await (await fetch(url, init)).json()) as { refresh_token: string }).refresh_token;
}

type Challenge = Parameters<ReturnType<typeof createWalletKeypair>["sign"]>[0];

function start(args: readonly string[], settings: Record<string, string>): ChildProcess {
  const env = { NODE_ENV: "development" as const, PATH: process.env.PATH, ...settings };
  return spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] });
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const response = await fetch(`http://${HOST}:${port}/api/healthz`).catch(() => null);
    if (response !== null) return;
    await delay(50);
  }
  throw new Error(`nothing answers at port ${port}`);
}
