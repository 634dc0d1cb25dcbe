// `npx wallet-session` as its users get it: out of the packed package, in a project that is not ours, as processes of their own.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type AppServer, type Program, startServer } from "../support/app-server.ts";
import { type Consumer, createConsumer, PACKED_WITHIN_MS } from "../support/consumer.ts";
import { problemOf } from "../support/http-client.ts";
import { bearer, createClient, type SessionClient } from "../support/session-client.ts";
import { createWitness, leaks } from "../support/witness.ts";

const PUBLIC_URL = "http://localhost:3000";
/** The other process looks once a second; the rest is for a busy machine. */
const SEEN_WITHIN_MS = 5_000;

const witness = createWitness();
let consumer: Consumer;
let bin: string;
let server: AppServer;
let client: SessionClient;

beforeAll(async () => {
  consumer = await createConsumer([]);
  bin = join(consumer.installed, consumer.manifest.bin["wallet-session"]);
  const serve: Program = {
    command: process.execPath,
    args: [bin, "serve"],
    cwd: consumer.project,
    settings: { HORIZON_URL: "none" },
    readyPath: "/api/readyz",
  };
  server = await startServer(serve, { PUBLIC_URL });
  client = createClient(server, witness);
}, PACKED_WITHIN_MS);
afterAll(async () => {
  await server.kill("SIGKILL");
  const found = leaks(server, witness);
  await server.stop();
  consumer.remove();
  expect(found).toEqual([]);
});

const execute = promisify(execFile);

/** Runs a command beside the server, with its settings, and gives what it said and ended with. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const options = { cwd: consumer.project, env: { ...server.settings, NODE_ENV: "development" as const } };
  try {
    return { code: 0, ...(await execute(process.execPath, [bin, ...args], options)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test("an operator sees an actor's sessions, ends one, and the server refuses it", async () => {
  const tokens = await client.signIn();
  const { json } = await client.session(tokens.accessToken);
  const listed = await run("sessions", "list", "--actor", String(json.actor_id), "--json");
  expect(JSON.parse(listed.stdout).sessions).toEqual([
    expect.objectContaining({ id: tokens.sessionId, state: "live", generation: 1 }),
  ]);
  expect(await run("sessions", "revoke", tokens.sessionId)).toMatchObject({
    code: 0,
    stdout: `Session ${tokens.sessionId} has ended.\n`,
    stderr: "",
  });
  expect(problemOf(await client.refresh(tokens.refreshToken))).toBe("401 refresh_token_revoked");
  await vi.waitFor(
    async () => expect(problemOf(await client.list(tokens.accessToken))).toBe("401 session_revoked"),
    { timeout: SEEN_WITHIN_MS, interval: 50 },
  );
});

test("keys, pruning, migration and diagnosis work beside the server; what makes no sense is 2", async () => {
  const keys = JSON.parse((await run("keys", "list", "--json")).stdout).keys;
  expect(keys).toEqual([expect.objectContaining({ state: "signing", secret: 1 })]);
  expect(await run("prune")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Deleted 0 ended/) });
  expect((await run("migrate")).stdout).toMatch(/^The schema is up to date: version \d+\.\n$/);
  expect((await run("doctor", "--json")).stdout).toContain('"check":"store","status":"ok"');
  expect((await run("--version")).stdout).toBe(`${consumer.manifest.version}\n`);
  expect(await run("sessions", "list")).toMatchObject({ code: 2, stdout: "" });
  expect(await run("sessions", "revoke", "AAAAAAAAAAAAAAAAAAAAAA")).toMatchObject({ code: 3, stdout: "" });
});

test("a reader that has seen enough is no fault", async () => {
  const { stdout, stderr } = await execute(
    "sh",
    ["-c", '"$0" "$1" doctor | head -n 1', process.execPath, bin],
    { cwd: consumer.project, env: { ...server.settings, NODE_ENV: "development", PATH: process.env.PATH } },
  );
  expect([stdout.split("\n").length, stderr]).toEqual([2, ""]);
});

/** A refresh whose body does not come. Resolves once the server has taken the request: it says so by asking for the body. */
async function beginRequest(length: number): Promise<Socket & { received(): string }> {
  const socket = connect(Number(new URL(server.address).port), "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write("POST /api/auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
  socket.write(`Content-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`);
  await vi.waitFor(() => expect(received).toMatch(/^HTTP\/1\.1 100 /), 10_000);
  return Object.assign(socket, { received: () => received });
}

test("a stop tells event streams to connect again, answers what was asked, and ends with 0 in time", async () => {
  const { accessToken } = await client.signIn();
  const stream = await fetch(`${server.address}/api/auth/events`, { headers: bearer(accessToken) });
  expect(stream.status).toBe(200);
  const body = '{"refresh_token":"x"}';
  const slow = await beginRequest(body.length);
  slow.write(body.slice(0, 5));
  const closed = once(slow, "close");
  const stopped = server.kill("SIGTERM");
  const text = await stream.text();
  expect(text).toMatch(/^retry: \d+\n/);
  expect(text).not.toContain("session.ended");
  slow.write(body.slice(5));
  await closed;
  expect(slow.received()).toContain("refresh_token_invalid");
  expect(await stopped).toEqual({ code: 0, signal: null });
  expect(server.output()).toContain('"event":"stopped"');
  await server.start();
});

test("what does not end in time is cut off, and a second signal ends it at once", async () => {
  await server.kill("SIGTERM");
  await server.start({ SHUTDOWN_TIMEOUT: "1s" });
  await beginRequest(10);
  expect(await server.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(server.output()).toContain('"event":"stop_cut_off"');
  await server.start({ SHUTDOWN_TIMEOUT: "1h" });
  await beginRequest(10);
  const stops = () => server.output().split('"event":"stopping"').length;
  const before = stops();
  const ended = server.kill("SIGTERM");
  await vi.waitFor(() => expect(stops()).toBe(before + 1), 10_000);
  await server.kill("SIGINT");
  expect(await ended).toEqual({ code: 130, signal: null });
  await server.start();
});
