// What an app decides about its people, over HTTP: who may sign in, what tokens say, whose credentials a request has.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ProblemError, SessionError, SignInRefused } from "../errors.ts";
import { createNodeServer } from "../node/server.ts";
import { signInAs } from "../testing/sign-in-as.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { createSessions, type SessionsOptions } from "./sessions.ts";

const ORIGIN = "http://localhost:3000";
const ACTOR = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
const ENV = {
  DATABASE_URL: "memory:",
  AUTH_SECRET: "a secret of the tests here that is long enough",
  STELLAR_SIGNING_SEED: createWalletKeypair(new Uint8Array(32).fill(7)).seed,
  LOG_LEVEL: "silent",
};

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, string>>;
}

/** A service on a real store behind a real server. */
async function serve(options: Omit<SessionsOptions, "env">) {
  const directory = mkdtempSync(join(tmpdir(), "hooks-"));
  const sessions = createSessions({ ...options, env: { ...ENV, DATABASE_URL: `sqlite:${directory}/s.db` } });
  const { fetch: handler, handlers } = sessions;
  const server = createNodeServer({ fetch: handler, problem: handlers.problem, origin: ORIGIN });
  const port = await server.listen(0, "127.0.0.1");
  onTestFinished(async () => {
    await server.stop(0);
    await sessions.close();
    rmSync(directory, { recursive: true });
  });

  async function send(path: string, body?: object, headers = {}): Promise<Answer> {
    const init = body && {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    };
    const response = await fetch(`http://127.0.0.1:${port}/api/auth${path}`, init);
    return { status: response.status, json: (await response.json()) as Answer["json"] };
  }

  const wallet = createWalletKeypair();
  async function answerFor(query = ""): Promise<object> {
    const { json } = await send(`/wallet?account=${wallet.account}${query}`);
    const challenge = {
      transaction: json.transaction ?? "",
      network_passphrase: json.network_passphrase ?? "",
    };
    return { transaction: wallet.sign(challenge) };
  }
  const signIn = async (query?: string) => send("/wallet", await answerFor(query));
  const count = () => sessions.engine.countSessions();
  return { sessions, wallet, send, answerFor, signIn, count };
}

test("onSignIn sees the account and the request, before there is a session", async () => {
  const seen: unknown[] = [];
  const { signIn, wallet, count } = await serve({
    onSignIn: async (actor, request) => {
      seen.push(actor, new URL(request.url).pathname, await count());
    },
  });
  expect((await signIn()).status).toBe(200);
  expect(seen).toEqual([{ actorId: wallet.account }, "/api/auth/wallet", 0]);
  expect(await count()).toBe(1);
});

test("onSignIn refuses with a code of the app's own; the same answer is good once the app lets it in", async () => {
  const members = new Set<string>();
  const { send, answerFor, wallet, count } = await serve({
    onSignIn({ actorId }) {
      if (!members.has(actorId)) throw new SignInRefused("not_a_member", "This account is not a member yet.");
    },
  });
  const answer = await answerFor();
  const refused = await send("/wallet", answer);
  expect([refused.status, refused.json]).toEqual([
    403,
    {
      type: "urn:wallet-session:problem:sign_in_refused",
      title: "Sign-in refused",
      status: 403,
      code: "not_a_member",
      detail: "This account is not a member yet.",
      error: "This account is not a member yet.",
    },
  ]);
  expect(await count()).toBe(0);
  members.add(wallet.account);
  expect((await send("/wallet", answer)).status).toBe(200);
});

test("an account with a memo can be told apart, and a signature that is not good is never asked about", async () => {
  const asked: string[] = [];
  const { signIn, send, wallet } = await serve({
    onSignIn({ actorId }) {
      asked.push(actorId);
      if (!/^G[A-Z2-7]{55}$/.test(actorId))
        throw new SignInRefused("plain_accounts_only", "No memo, please.");
    },
  });
  expect((await signIn("&memo=7")).json.code).toBe("plain_accounts_only");
  expect((await signIn()).status).toBe(200);
  const { json } = await send(`/wallet?account=${wallet.account}`);
  expect((await send("/wallet", { transaction: json.transaction })).json.code).toBe("signature_invalid");
  expect(asked).toEqual([`${wallet.account}:7`, wallet.account]);
});

test.each<[string, unknown, string]>([
  ["an error", new Error("no such table: users"), "500 internal_error"],
  ["no error at all", "no such table", "500 internal_error"],
  ["the store's fault", new SessionError("store_unavailable", "It is away."), "503 store_unavailable"],
  [
    "a problem of the app's",
    new ProblemError({ type: "urn:app", code: "users_away", status: 503, title: "Away" }, "Come again."),
    "503 users_away",
  ],
])("%s from onSignIn is a fault: no session, and the challenge is good again", async (_, thrown, problem) => {
  const fault = { now: true };
  const { send, answerFor, count } = await serve({
    onSignIn() {
      if (fault.now) throw thrown;
    },
  });
  const answer = await answerFor();
  const { status, json } = await send("/wallet", answer);
  expect(`${status} ${json.code}`).toBe(problem);
  expect(json.detail).not.toContain("table");
  expect(await count()).toBe(0);
  fault.now = false;
  expect((await send("/wallet", answer)).status).toBe(200);
});

test.each(["", "Member", "not a member", "a".repeat(65), "signature_invalid", "_x", "1x", "a-b"])(
  "%j is no code of an app's own",
  (code) => {
    expect(() => new SignInRefused(code, "No.")).toThrow(RangeError);
  },
);

test("what is thrown to refuse is known as that", () => {
  const refused = new SignInRefused("not_a_member", "No.");
  expect([refused instanceof SignInRefused, refused instanceof ProblemError]).toEqual([true, true]);
  expect(new SessionError("not_found", "No.") instanceof SignInRefused).toBe(false);
});

test("claims and audiences are in the tokens of sign-in and refresh; a fault costs nothing", async () => {
  const fault = { now: false };
  const { sessions, signIn, send } = await serve({
    audience: [ORIGIN, "https://api.example.com"],
    claims({ actorId }) {
      if (fault.now) throw new Error("the users are away");
      return { tenant: actorId.slice(0, 3) };
    },
  });
  const { json } = await signIn();
  const bearer = (token = "") => new Request(ORIGIN, { headers: { authorization: `Bearer ${token}` } });
  expect((await sessions.handlers.guard(bearer(json.access_token))).claims).toEqual({
    tenant: expect.stringMatching(/^G..$/),
  });
  fault.now = true;
  const refresh = { refresh_token: json.refresh_token };
  expect((await send("/refresh", refresh)).json.code).toBe("internal_error");
  fault.now = false;
  const renewed = await send("/refresh", refresh);
  expect(renewed.status).toBe(200);
  const payload = Buffer.from(renewed.json.access_token?.split(".")[1] ?? "", "base64url").toString();
  expect(JSON.parse(payload)).toMatchObject({
    aud: [ORIGIN, "https://api.example.com"],
    tenant: expect.any(String),
  });
});

const service = (settings: Record<string, string> = {}) => {
  const sessions = createSessions({ env: { ...ENV, ...settings } });
  onTestFinished(() => sessions.close());
  return sessions;
};

test.each(["body", "cookie"] as const)(
  "signInAs makes a real session by %s, without a wallet",
  async (transport) => {
    const sessions = service();
    const { headers, session, refreshToken } = await signInAs(sessions, ACTOR, { transport });
    const request = new Request(`${ORIGIN}/api/boats`, { method: "POST", headers });
    expect(await sessions.handlers.guard(request)).toMatchObject({ actorId: ACTOR, sessionId: session.id });
    expect((await sessions.engine.inspectRefreshToken(refreshToken)).transport).toBe(transport);
    const signOut = new Request(`${ORIGIN}/api/auth/logout`, { method: "POST", headers });
    expect((await sessions.fetch(signOut)).status).toBe(204);
    await expect(sessions.handlers.guard(request)).rejects.toMatchObject({ code: "session_revoked" });
  },
);

test("signInAs does nothing in production", async () => {
  const production = { NODE_ENV: "production", PUBLIC_URL: "https://pay.example.com", HORIZON_URL: "none" };
  await expect(signInAs(service(production), ACTOR)).rejects.toThrow("production");
});

test("identify says null where the credentials are not ours, and refuses ours that are not good", async () => {
  const sessions = service();
  const own = await signInAs(sessions, ACTOR);
  const stranger = await signInAs(service({ PUBLIC_URL: "https://other.example" }), ACTOR);
  const jar = await signInAs(sessions, ACTOR, { transport: "cookie" });
  const identify = (headers: Record<string, string> = {}) =>
    sessions.handlers.identify(new Request(ORIGIN, { headers }));
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

  expect(await identify(own.headers)).toMatchObject({ sessionId: own.session.id });
  expect(await identify(jar.headers)).toMatchObject({ sessionId: jar.session.id });
  const access = sessions.handlers.cookieNames.access;
  for (const headers of [
    {},
    bearer("an-api-key"),
    bearer("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"),
    stranger.headers,
    { Authorization: "Basic YTpi" },
    { Cookie: `${access}=garbage; other=1` },
  ]) {
    expect(await identify(headers)).toBeNull();
  }
  const forged =
    own.accessToken.slice(0, -8) + (own.accessToken.endsWith("AAAAAAAA") ? "BBBBBBBB" : "AAAAAAAA");
  await expect(identify(bearer(forged))).rejects.toMatchObject({ code: "access_token_invalid" });
  await sessions.engine.revokeSessions(ACTOR, null);
  await expect(identify(own.headers)).rejects.toMatchObject({ code: "session_revoked" });
  await expect(identify(jar.headers)).rejects.toMatchObject({ code: "session_revoked" });
});
