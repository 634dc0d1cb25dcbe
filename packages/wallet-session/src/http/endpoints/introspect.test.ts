import { describe, expect, test } from "vitest";
import { createTestKey, dpopProof } from "../../../test/proofs.ts";
import { ACTOR, ISSUER } from "../../engine/engine.fixture.ts";
import type { SessionId, SessionRecord } from "../../store.ts";
import { createMemoryStore } from "../../stores/memory.ts";
import { problemOf, readJson, type SendOptions, startHttp, type TestHttp } from "../http.fixture.ts";
import { STRANGERS_PER_MINUTE } from "../rate-limit.ts";

const INTROSPECT = "/api/auth/introspect";
const METADATA = "/.well-known/oauth-authorization-server";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const SECRET = "of the boats: 100% + & no";
const introspectionClients = [
  { id: "boats", secret: "another secret of the boats" },
  { id: "api", secret: "a-plain-secret-of-the-api" },
  { id: "boats", secret: SECRET },
];

/** As RFC 6749 §2.3.1 says. */
function basic(id: string, secret: string): string {
  const encoded = [id, secret].map((text) => new URLSearchParams({ x: text }).toString().slice(2)).join(":");
  return `Basic ${Buffer.from(encoded).toString("base64")}`;
}

const asking = (token: string, authorization = basic("boats", SECRET)): SendOptions => ({
  headers: { Authorization: authorization, ...FORM },
  body: new URLSearchParams({ token }).toString(),
});

const start = (options: Parameters<typeof startHttp>[0] = {}) =>
  startHttp({ introspectionClients, ...options });

async function introspect(http: TestHttp, token: string) {
  const response = await http.send("POST", INTROSPECT, asking(token));
  expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  return readJson(response);
}

const INACTIVE = { active: false };

describe("introspection", () => {
  test("says what an access token is good for, with the app's own claims beside", async () => {
    const claims = () => ({ roles: ["admin"], active: "no", token_type: "mine" });
    const http = await start({
      engineOptions: { claims, audience: ["https://a.example", "https://b.example"] },
    });
    const { access_token, session_id } = await http.signIn();
    const now = Math.floor(http.clock.now() / 1000);
    const answer = await introspect(http, access_token);
    expect(answer).toEqual({
      active: true,
      auth_time: now,
      token_type: "Bearer",
      iss: ISSUER,
      aud: ["https://a.example", "https://b.example"],
      sub: expect.stringMatching(/^G[A-Z2-7]{55}$/),
      sid: session_id,
      session_id,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      iat: now,
      exp: now + 900,
      roles: ["admin"],
    });
    http.clock.advance(900_000);
    expect(await introspect(http, access_token)).toEqual(INACTIVE);
  });

  test("says what the current refresh token is good for, rotates nothing, and a spent one raises no alarm", async () => {
    const http = await start();
    const { refresh_token, session_id } = await http.signIn();
    const now = Math.floor(http.clock.now() / 1000);
    http.clock.advance(3_600_000);
    const before = await http.store.snapshot();
    expect(await introspect(http, refresh_token)).toEqual({
      active: true,
      token_type: "refresh_token",
      iss: ISSUER,
      aud: ISSUER,
      sub: expect.stringMatching(/^G[A-Z2-7]{55}$/),
      sid: session_id,
      session_id,
      iat: now,
      exp: now + 604_800,
      refresh_token_timeout: 601_200,
      authorization_expires_in: 2_588_400,
    });
    expect(await http.store.snapshot()).toBe(before);
    await http.refresh(refresh_token);
    expect(await introspect(http, refresh_token)).toEqual(INACTIVE);
    expect(http.alarms()).toEqual([]);
  });

  test.each([
    ["DPoP", false],
    ["Bearer", true],
  ])("names the key of a bound session, without a proof (%s)", async (token_type, refreshOnly) => {
    const http = await start();
    const key = createTestKey();
    const url = `${ISSUER}/api/auth/wallet`;
    const proof = dpopProof(key, { htu: url, iat: Math.floor(http.clock.now() / 1000) });
    const { accessToken, refreshToken } = await http.engine.signIn(
      { actorId: ACTOR, challenge: { id: "x", expiresAt: http.clock.now() + 300_000 } },
      {
        transport: "body",
        client: { browser: "Firefox 140", os: "Linux", device: "desktop", ip: "203.0.113.0" },
        dpop: { proof, method: "POST", urls: [url] },
        refreshOnly,
      },
    );
    const [access, refresh] = [await introspect(http, accessToken), await introspect(http, refreshToken)];
    const cnf = { jkt: key.thumbprint };
    expect([access.token_type, access.cnf]).toEqual([token_type, refreshOnly ? undefined : cnf]);
    expect([refresh.token_type, refresh.cnf]).toEqual(["refresh_token", cnf]);
    expect(JSON.stringify([access, refresh])).not.toMatch(/Firefox|Linux|desktop|203\.0/);
  });

  test("sees at once that a session has ended, on another node and by a signature that is still good", async () => {
    const http = await start();
    const { access_token, refresh_token, session_id } = await http.signIn();
    await http.store.real.revokeSession(session_id, { reason: "admin", revokedAt: http.clock.now() });
    expect((await http.engine.authenticate(access_token)).sessionId).toBe(session_id);
    expect(await introspect(http, access_token)).toEqual(INACTIVE);
    expect(await introspect(http, refresh_token)).toEqual(INACTIVE);
  });

  test("sees it also where the store has come back older than it was", async () => {
    const memory = createMemoryStore();
    let restored: SessionRecord | null = null;
    const store = { ...memory, findSession: async (id: SessionId) => restored ?? memory.findSession(id) };
    const http = await start({ store });
    const { access_token, refresh_token, session_id } = await http.signIn();
    const row = await memory.findSession(session_id);
    await http.engine.revokeByRefreshToken(refresh_token, "logout");
    restored = row;
    expect(await introspect(http, access_token)).toEqual(INACTIVE);
    expect(await introspect(http, refresh_token)).toEqual(INACTIVE);
  });

  test.each(["x", "wsr1_x", "e30.e30.x", " ", "null"])("knows nothing of %j", async (token) => {
    const http = await start();
    expect(await introspect(http, token)).toEqual(INACTIVE);
    expect(http.store.steps).not.toContain("findSession");
  });

  test("does not take a store that fails for an answer", async () => {
    const http = await start();
    const tokens = await http.signIn();
    http.store.failing = true;
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      const response = await http.send("POST", INTROSPECT, asking(token));
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
      expect((await readJson(response)).error).toBe("temporarily_unavailable");
    }
  });
});

describe("who may introspect", () => {
  test("each client by its id and its secret, both secrets of one that has two", async () => {
    const http = await start();
    for (const { id, secret } of introspectionClients) {
      const response = await http.send("POST", INTROSPECT, asking("x", basic(id, secret)));
      expect([response.status, await response.json()]).toEqual([200, INACTIVE]);
    }
  });

  const raw = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  test.each([
    ["nobody", ""],
    ["a bearer token", "Bearer x"],
    ["another secret", basic("api", "a-plain-secret-of-the-apj")],
    ["another client's secret", basic("api", SECRET)],
    ["an unknown id", basic("ships", SECRET)],
    ["a part of a secret", basic("api", "a-plain-secret-of-the-ap")],
    ["a secret that is not form-encoded", raw(`boats:${SECRET}`)],
    ["a wrong escape", raw("api:%zz")],
    ["an id alone", raw("api")],
    ["no base64", "Basic *"],
    ["Basic alone", "Basic"],
  ])("not %s", async (_, authorization) => {
    const http = await start();
    const { access_token } = await http.signIn();
    const response = await http.send("POST", INTROSPECT, asking(access_token, authorization));
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Basic realm="wallet-session"');
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await readJson(response)).toMatchObject({ error: "invalid_client", code: "invalid_client" });
  });

  test("not one that shows its secret in the body", async () => {
    const http = await start();
    const headers = FORM;
    const body = new URLSearchParams({
      token: "x",
      client_id: "api",
      client_secret: "a-plain-secret-of-the-api",
    });
    expect((await http.send("POST", INTROSPECT, { headers, body: body.toString() })).status).toBe(401);
  });

  test("strangers are limited by their address, and clients behind the same one are not", async () => {
    const http = await start({ rateLimit: true, clientAddress: () => "203.0.113.7" });
    const ask = async (authorization: string) =>
      (await http.send("POST", INTROSPECT, asking("x", authorization))).status;
    const [stranger, client] = [basic("api", "x"), basic("boats", SECRET)];
    for (let count = 0; count < STRANGERS_PER_MINUTE; count += 1) expect(await ask(stranger)).toBe(401);
    expect(await ask(stranger)).toBe(429);
    for (let count = 0; count < 100; count += 1) expect(await ask(client)).toBe(200);
  });

  test("nobody, and there is no such endpoint, where no client is named", async () => {
    const http = await startHttp();
    for (const method of ["POST", "GET", "OPTIONS"]) {
      expect(await problemOf(await http.send(method, INTROSPECT, method === "POST" ? asking("x") : {}))).toBe(
        "404 not_found",
      );
    }
    expect(http.handlers.serves(INTROSPECT)).toBe(false);
    expect((await start()).handlers.serves(INTROSPECT)).toBe(true);
  });
});

describe("the metadata", () => {
  const WITHOUT = {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/shop/api/auth/token`,
    token_endpoint_auth_methods_supported: ["none"],
    revocation_endpoint: `${ISSUER}/shop/api/auth/revoke`,
    revocation_endpoint_auth_methods_supported: ["none"],
    jwks_uri: `${ISSUER}/.well-known/jwks.json`,
    grant_types_supported: ["refresh_token"],
    response_types_supported: [],
    dpop_signing_alg_values_supported: ["ES256", "Ed25519", "EdDSA"],
    refresh_token_expiration_types_supported: ["authorization", "token_timeout"],
  };

  test("says where the endpoints are, and may be kept and read by all", async () => {
    const { send } = await startHttp({ basePath: "/shop/api/auth" });
    const response = await send("GET", METADATA);
    expect(await response.json()).toEqual(WITHOUT);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("cache-control")).toBe("public, max-age=300");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
  });

  test("names introspection where somebody may", async () => {
    const { send } = await start({ basePath: "/shop/api/auth" });
    expect(await (await send("GET", METADATA)).json()).toEqual({
      ...WITHOUT,
      introspection_endpoint: `${ISSUER}/shop/api/auth/introspect`,
      introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
    });
  });
});
