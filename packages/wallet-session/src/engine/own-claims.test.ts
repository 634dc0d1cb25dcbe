import { expect, test } from "vitest";
import { createMemoryStore } from "../stores/memory.ts";
import type { OwnClaims } from "../tokens/own-claims.ts";
import { ACTOR, codeOf, ISSUER, issued, startEngine, type TestEngine } from "./engine.fixture.ts";
import type { ClaimsOf } from "./session-engine.ts";

const KEY = "a-retry-key-of-enough-characters";
const start = (claims: ClaimsOf) => startEngine(createMemoryStore(), { claims });
const claimsIn = async ({ engine }: TestEngine, token: string) => (await engine.authenticate(token)).claims;
const payloadOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

test("own claims are in each access token, asked anew at sign-in, refresh, retry and beside", async () => {
  const asked: unknown[] = [];
  const running = await start(async (session) => ({ n: asked.push(session), roles: ["admin"] }));
  const { signIn, refresh, engine } = running;
  const first = await signIn();
  expect(await claimsIn(running, first.accessToken)).toEqual({ n: 1, roles: ["admin"] });
  const second = await issued(refresh(first.refreshToken, { retryKey: KEY }));
  expect(await claimsIn(running, second.accessToken)).toMatchObject({ n: 2 });
  const again = await issued(refresh(first.refreshToken, { retryKey: KEY }));
  expect([again.refreshToken, await claimsIn(running, again.accessToken)]).toEqual([
    second.refreshToken,
    { n: 3, roles: ["admin"] },
  ]);
  const beside = await engine.issueAccessToken(first.session.id);
  expect(await claimsIn(running, beside)).toMatchObject({ n: 4 });
  expect(asked).toEqual(Array(4).fill({ actorId: ACTOR, sessionId: first.session.id }));
});

test("without own claims there are none, and nothing is read for them", async () => {
  const running = await startEngine(createMemoryStore());
  const { accessToken } = await running.signIn();
  expect(await claimsIn(running, accessToken)).toEqual({});
});

test("what a guard returns is nobody's to change", async () => {
  const running = await start(() => ({ roles: ["user"], of: { deep: [1] } }));
  const { accessToken } = await running.signIn();
  const claims = (await claimsIn(running, accessToken)) as { roles: string[]; of: { deep: number[] } };
  expect(() => claims.roles.push("admin")).toThrow(TypeError);
  expect(() => claims.of.deep.pop()).toThrow(TypeError);
  expect(await claimsIn(running, accessToken)).toEqual({ roles: ["user"], of: { deep: [1] } });
});

test("a fault of the hook creates nothing, spends no token and ends nothing, with a retry key or without", async () => {
  const fault = { now: false };
  const running = await start(() => {
    if (fault.now) throw new Error("the users' database is down");
    return { tenant: "t1" };
  });
  const { signIn, refresh, engine, alarms } = running;
  for (const by of ["body", "cookie"] as const) {
    const { refreshToken, session } = await signIn(by);
    fault.now = true;
    expect(await codeOf(refresh(refreshToken, { by }))).toBe("internal_error");
    expect(await codeOf(refresh(refreshToken, { by, retryKey: KEY }))).toBe("internal_error");
    expect(await codeOf(signIn(by))).toBe("internal_error");
    fault.now = false;
    const next = await issued(refresh(refreshToken, { by }));
    expect([next.session.generation, next.session.id]).toEqual([2, session.id]);
  }
  expect(await engine.listSessions(ACTOR)).toHaveLength(2);
  expect(alarms()).toEqual([]);
});

test("a refusal that the hook throws is a fault as well: it signs nobody out", async () => {
  const running = await start(({ sessionId }) =>
    Promise.reject(Object.assign(new Error(sessionId), { status: 401 })),
  );
  expect(await codeOf(running.signIn())).toBe("internal_error");
});

test("a session that is over is refused as ever, without being asked about", async () => {
  let asked = 0;
  const { signIn, refresh, engine } = await start(() => ({ n: ++asked }));
  const { refreshToken, session } = await signIn();
  await engine.revokeSession(ACTOR, session.id);
  expect(await codeOf(refresh(refreshToken))).toBe("refresh_token_revoked");
  expect(asked).toBe(1);
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

test.each<[string, unknown]>([
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "cnf", "scope", "client_id"].map(
    (name): [string, unknown] => [name, { [name]: "x" }],
  ),
  ["__proto__", JSON.parse('{"__proto__":{"admin":true}}')],
  ["a date", { at: new Date() }],
  ["undefined", { tenant: undefined }],
  ["NaN", { n: Number.NaN }],
  ["a BigInt", { n: 1n }],
  ["a function", { f: () => {} }],
  ["a map deep down", { a: [{ b: new Map() }] }],
  ["a cycle", cyclic],
  ["an array", ["admin"]],
  ["nothing at all", undefined],
  ["null", null],
  ["more than 1 KiB", { text: "a".repeat(1_024) }],
  ["more than 1 KiB of UTF-8", { text: "€".repeat(340) }],
])("claims that cannot be had: %s", async (_, claims) => {
  expect(await codeOf((await start(() => claims as OwnClaims)).signIn())).toBe("internal_error");
});

test.each<[string, OwnClaims]>([
  [
    "names of any kind",
    { "https://pay.example.com/tenant": 7, roles: [], 1: null, constructor: "x", "": true },
  ],
  ["all that JSON has", { a: [1.5, "\ud83d\ude00\u2028", { b: false, 2: null, 1: [] }] }],
  ["1 KiB", { text: "a".repeat(1_024 - '{"text":""}'.length) }],
])("claims that are kept as they are: %s", async (_, claims) => {
  const running = await start(() => claims);
  expect(await claimsIn(running, (await running.signIn()).accessToken)).toEqual(claims);
});

test("several audiences are in the token, and one that names a stranger's as well is refused", async () => {
  const store = createMemoryStore();
  const api = "https://api.example.com";
  const one = await startEngine(store);
  const both = await startEngine(store, { audience: [ISSUER, api] });
  const other = await startEngine(store, { audience: [api] });
  const [old, wide, narrow] = [await one.signIn(), await both.signIn(), await other.signIn()];
  expect([old, wide, narrow].map(({ accessToken }) => payloadOf(accessToken).aud)).toEqual([
    ISSUER,
    [ISSUER, api],
    api,
  ]);
  const accepts = async ({ engine }: TestEngine) =>
    Promise.all([old, wide, narrow].map(({ accessToken }) => codeOf(engine.authenticate(accessToken))));
  expect(await accepts(one)).toEqual(["none", "access_token_invalid", "access_token_invalid"]);
  expect(await accepts(both)).toEqual(["none", "none", "none"]);
  expect(await accepts(other)).toEqual(["access_token_invalid", "access_token_invalid", "none"]);
});

test.each([[""], [[]], [[ISSUER, ""]], ["a".repeat(513)]])("no audience: %j", async (audience) => {
  await expect(startEngine(createMemoryStore(), { audience })).rejects.toThrow("audience");
});
