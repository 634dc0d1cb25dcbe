// The examples without a page of their own, as their readers run them: on the packed package.
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { type AppServer, startServe, startServer } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { type Consumer, createExamples, PACKED_WITHIN_MS } from "../support/consumer.ts";
import { bearer } from "../support/session-client.ts";

/** What the documents promise. */
const HEARS_WITHIN_MS = 1_000;
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

const service = appUnderTest(() => ({}), startServe);
let consumer: Consumer;

beforeAll(async () => {
  consumer = await createExamples("resource-server", "command-line", "oauth-client");
}, PACKED_WITHIN_MS);
afterAll(() => consumer.remove());

async function startResourceServer(issuer: string): Promise<AppServer> {
  const settings = { ISSUER: issuer, SECURITY_WEBHOOK_SECRET: SECRET };
  const cwd = join(consumer.project, "resource-server");
  const program = { command: process.execPath, args: ["server.ts"], cwd, settings };
  return startServer({ ...program, readyPath: "/healthz" });
}

test("a resource server takes tokens by the published keys, and hears of a sign-out within a second", async () => {
  const { server, client } = service;
  const resource = await startResourceServer(server.publicUrl);
  try {
    await server.kill("SIGTERM");
    const SECURITY_WEBHOOK_URL = `${resource.address.replace("127.0.0.1", "localhost")}/session-ended`;
    await server.start({ SECURITY_WEBHOOK_URL, SECURITY_WEBHOOK_SECRET: SECRET });
    const boats = async (token: string) =>
      fetch(`${resource.address}/boats`, { headers: bearer(token) }).then(async (response) => ({
        status: response.status,
        body: await response.json(),
      }));

    const key = createWalletKeypair();
    const { accessToken, refreshToken } = await client.signIn(key);
    expect(await boats(accessToken)).toEqual({ status: 200, body: { owner: key.account, boats: [] } });
    const [head, claims, signature = ""] = accessToken.split(".");
    const forged = `${head}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    for (const token of ["garbage", forged, refreshToken]) {
      expect(await boats(token)).toMatchObject({ status: 401, body: { code: "access_token_invalid" } });
    }

    expect((await client.logout(refreshToken)).status).toBe(204);
    const patience = { timeout: HEARS_WITHIN_MS, interval: 20 };
    await expect.poll(async () => (await boats(accessToken)).status, patience).toBe(401);
    expect((await boats((await client.signIn(key)).accessToken)).status).toBe(200);
  } finally {
    await resource.stop();
  }
});

test("a resource server that cannot have the keys says so, and refuses nobody", async () => {
  const resource = await startResourceServer("http://localhost:9");
  try {
    const { accessToken } = await service.client.signIn();
    const answer = await fetch(`${resource.address}/boats`, { headers: bearer(accessToken) });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
  } finally {
    await resource.stop();
  }
});

test("a tool for the command line signs once, goes on with the session in its file, and signs out", async () => {
  const tool = startTool();
  const first = await tool.run();
  expect(first).toMatchObject({ answer: { actor_id: tool.account }, signed: true });
  // All at once, as a script would: they share the session in the file.
  const { session_id } = first.answer;
  for (const next of await Promise.all([tool.run(), tool.run()])) {
    expect(next).toMatchObject({ answer: { session_id }, signed: false });
  }
  expect(await tool.run("sign-out")).toEqual({ answer: null, signed: false });
  expect(existsSync(tool.file)).toBe(false);
});

test("the file of its session without that of its key is worth nothing", async () => {
  const [tool, thief] = [startTool(), startTool()];
  const { session_id } = (await tool.run()).answer;
  copyFileSync(tool.file, thief.file);
  const { accessToken, refreshToken } = JSON.parse(readFileSync(tool.file, "utf8"));
  expect(await service.client.session(accessToken)).toMatchObject({ status: 401 });
  expect((await service.client.refresh(refreshToken)).json).toMatchObject({ code: "proof_missing" });
  // It has another wallet, too.
  expect(await thief.run()).toMatchObject({ answer: { actor_id: thief.account }, signed: true });
  expect(await tool.run()).toMatchObject({ answer: { session_id }, signed: false });
});

test("a stock OAuth client renews a session that is bound to its key, uses it, and ends it", async () => {
  const { account, seed } = createWalletKeypair();
  const { stdout } = await promisify(execFile)(process.execPath, ["client.ts"], {
    cwd: join(consumer.project, "oauth-client"),
    env: { ...process.env, ISSUER: service.server.publicUrl, WALLET_SEED: seed },
  });
  const { actor_id, session_id, generation } = JSON.parse(stdout);
  expect([actor_id, generation]).toEqual([account, 2]);
  expect(service.server.output()).toMatch(new RegExp(`"event":"revoked".*${session_id}`));
});

/** The tool with a wallet and a directory of its own. */
function startTool() {
  const { account, seed } = createWalletKeypair();
  const file = join(mkdtempSync(join(consumer.project, "tool-")), "session.json");
  const env = {
    ...process.env,
    SERVICE_URL: service.server.publicUrl,
    SESSION_FILE: file,
    WALLET_SEED: seed,
  };
  const options = { cwd: join(consumer.project, "command-line"), env };
  return {
    account,
    file,
    async run(...args: string[]) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ["tool.ts", ...args], options);
      return { answer: stdout === "" ? null : JSON.parse(stdout), signed: stderr.includes("signing in") };
    },
  };
}
