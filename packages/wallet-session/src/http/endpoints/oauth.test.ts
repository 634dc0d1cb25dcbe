import { describe, expect, test } from "vitest";
import { createTestKey, dpopProof } from "../../../test/proofs.ts";
import { ACTOR, ISSUER } from "../../engine/engine.fixture.ts";
import { readJson, startHttp, type TestHttp } from "../http.fixture.ts";

const TOKEN = "/api/auth/token";
const REVOKE = "/api/auth/revoke";
const KEY = "a-retry-key-of-32-characters-now";
const DAY = 86_400_000;
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** Parameters as a form, or a text as it is. */
function post(
  { send }: TestHttp,
  path: string,
  form: Record<string, string> | string | Uint8Array,
  headers: Record<string, string> = {},
) {
  const body =
    typeof form === "string" || form instanceof Uint8Array ? form : new URLSearchParams(form).toString();
  return send("POST", path, { headers: { ...FORM, ...headers }, body });
}

const renew = (http: TestHttp, refreshToken: string, headers: Record<string, string> = {}) =>
  post(http, TOKEN, { grant_type: "refresh_token", refresh_token: refreshToken }, headers);

/** Status, `error` and `code` of a refusal, and that it is one as RFC 6749 has it. */
async function oauthErrorOf(response: Response): Promise<string> {
  const body = await readJson(response.clone());
  expect(Object.keys(body)).toEqual(["error", "error_description", "code"]);
  expect(body.error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.getSetCookie()).toEqual([]);
  return `${response.status} ${body.error} ${body.code}`;
}

/** A session that is bound to a key, and its client. */
async function boundClient(http: TestHttp, refreshOnly = false) {
  const { engine, clock } = http;
  const key = createTestKey();
  const proof = (nonce?: string | null, path = TOKEN) =>
    dpopProof(key, { htu: ISSUER + path, iat: Math.floor(clock.now() / 1000), ...(nonce && { nonce }) });
  const signedIn = await engine.signIn(
    { actorId: ACTOR, challenge: { id: crypto.randomUUID(), expiresAt: clock.now() + 300_000 } },
    {
      transport: "body",
      client: { browser: "Firefox 140", os: "Linux", device: null, ip: "203.0.113.0" },
      dpop: { proof: proof(null, "/api/auth/wallet"), method: "POST", urls: [`${ISSUER}/api/auth/wallet`] },
      refreshOnly,
    },
  );
  return { key, proof, signedIn };
}

describe("the token endpoint", () => {
  test("rotates a refresh token, and says how long all of it lives", async () => {
    const http = await startHttp();
    const { refresh_token, session_id } = await http.signIn();
    http.clock.advance(1 * DAY);
    const response = await renew(http, refresh_token);
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(response.headers.get("dpop-nonce")).toBeNull();
    const { access_token, refresh_token: next, ...rest } = await readJson(response);
    expect(rest).toEqual({
      token_type: "Bearer",
      expires_in: 900,
      refresh_expires_in: 604_800,
      refresh_token_timeout: 604_800,
      authorization_expires_in: 29 * 86_400,
      session_id,
    });
    expect(next).not.toBe(refresh_token);
    expect((await http.engine.authenticate(access_token)).sessionId).toBe(session_id);
    http.clock.advance(6 * DAY);
    const later = await readJson(await renew(http, next));
    http.clock.advance(6 * DAY);
    const last = await readJson(await renew(http, later.refresh_token));
    http.clock.advance(6 * DAY);
    const { refresh_token: end } = await readJson(await renew(http, last.refresh_token));
    http.clock.advance(6 * DAY);
    expect(await readJson(await renew(http, end))).toMatchObject({
      refresh_token_timeout: 5 * 86_400,
      authorization_expires_in: 5 * 86_400,
    });
  });

  test("gives a retry with the same key the same token; without a key a second use is reuse", async () => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    const lost = await readJson(await renew(http, refresh_token, { "Idempotency-Key": KEY }));
    const retried = await readJson(await renew(http, refresh_token, { "Idempotency-Key": KEY }));
    expect(retried.refresh_token).toBe(lost.refresh_token);
    expect(await oauthErrorOf(await renew(http, refresh_token))).toBe(
      "400 invalid_grant refresh_token_reused",
    );
    expect(await oauthErrorOf(await renew(http, lost.refresh_token))).toBe(
      "400 invalid_grant refresh_token_revoked",
    );
    expect(http.alarms()).toHaveLength(1);
  });

  test("keeps that promise where a client proves a key that its session is not bound to", async () => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    const key = createTestKey();
    const proof = () => dpopProof(key, { htu: ISSUER + TOKEN, iat: Math.floor(http.clock.now() / 1000) });
    const once = () => renew(http, refresh_token, { "Idempotency-Key": KEY, DPoP: proof() });
    const lost = await once();
    const retried = await once();
    expect([lost.status, retried.status]).toEqual([200, 200]);
    expect(lost.headers.get("dpop-nonce")).toBeNull();
    const [first, second] = [await readJson(lost), await readJson(retried)];
    expect(first.token_type).toBe("Bearer");
    expect(second.refresh_token).toBe(first.refresh_token);
  });

  test("takes a client_id and whatever it does not know, and neither means anything", async () => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    const form = { grant_type: "refresh_token", refresh_token, client_id: "app", resource: "x", scope: "" };
    expect((await post(http, TOKEN, { ...form, client_secret: "" })).status).toBe(200);
  });

  const REFUSED: [string, Record<string, string>, string][] = [
    ["no grant type", { grant_type: "" }, "400 invalid_request invalid_request"],
    ["another grant type", { grant_type: "password" }, "400 unsupported_grant_type unsupported_grant_type"],
    ["no refresh token", { refresh_token: "" }, "400 invalid_request invalid_request"],
    ["a scope", { scope: "all" }, "400 invalid_request invalid_request"],
    ["a client's secret", { client_id: "x", client_secret: "y" }, "401 invalid_client invalid_client"],
    ["a client's assertion", { client_assertion: "y" }, "401 invalid_client invalid_client"],
    ["garbage", { refresh_token: "wsr1_x" }, "400 invalid_grant refresh_token_invalid"],
  ];
  test.each(REFUSED)("refuses %s, and changes nothing", async (_, change, expected) => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    const before = await http.store.snapshot();
    const form = { grant_type: "refresh_token", refresh_token, ...change };
    expect(await oauthErrorOf(await post(http, TOKEN, form))).toBe(expected);
    expect(await http.store.snapshot()).toBe(before);
  });

  test.each([
    ["Basic", `Basic ${btoa("app:")}`],
    ["Bearer", "Bearer x"],
  ])(
    "refuses a client that authenticates by %s: it would take itself for known",
    async (_, authorization) => {
      const http = await startHttp();
      const { refresh_token } = await http.signIn();
      const response = await renew(http, refresh_token, { Authorization: authorization });
      expect(await oauthErrorOf(response)).toBe("401 invalid_client invalid_client");
      expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm=/);
      expect((await renew(http, refresh_token)).status).toBe(200);
    },
  );

  test("does not take the token of a cookie session, from a form or from its jar", async () => {
    const http = await startHttp();
    const jar = await http.browser();
    const token = jar.cookies.get("__Secure-ws_refresh") ?? "";
    const before = await http.store.snapshot();
    expect(await oauthErrorOf(await renew(http, token))).toBe("400 invalid_grant refresh_token_invalid");
    const proof = dpopProof(createTestKey(), { htu: ISSUER + TOKEN });
    expect(await oauthErrorOf(await renew(http, token, { DPoP: proof }))).toBe(
      "400 invalid_grant refresh_token_invalid",
    );
    const byJar = await jar.send("POST", TOKEN, { headers: FORM, body: "grant_type=refresh_token" });
    expect(await oauthErrorOf(byJar)).toBe("400 invalid_request invalid_request");
    expect(await http.store.snapshot()).toBe(before);
  });

  test("is a matter of the session's age, of its end, and of the store", async () => {
    const http = await startHttp({ rateLimit: true });
    const idle = await http.signIn();
    http.clock.advance(8 * DAY);
    expect(await oauthErrorOf(await renew(http, idle.refresh_token))).toBe(
      "400 invalid_grant refresh_token_expired",
    );
    const { refresh_token } = await http.signIn();
    http.store.failing = true;
    const down = await renew(http, refresh_token);
    expect(await oauthErrorOf(down)).toBe("503 temporarily_unavailable store_unavailable");
    expect(down.headers.get("retry-after")).toBe("2");
    http.store.failing = false;
    for (let count = 1; count < 120; count += 1) await renew(http, idle.refresh_token);
    const flood = await renew(http, idle.refresh_token);
    expect(await oauthErrorOf(flood)).toBe("429 temporarily_unavailable rate_limited");
    expect(flood.headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await renew(http, refresh_token)).status).toBe(200);
  });

  test("answers a fault of the app's own claims with 500, and spends no token", async () => {
    let broken = false;
    const claims = () => {
      if (broken) throw new Error("a secret");
      return {};
    };
    const http = await startHttp({ engineOptions: { claims } });
    const { refresh_token } = await http.signIn();
    broken = true;
    expect(await oauthErrorOf(await renew(http, refresh_token))).toBe("500 server_error internal_error");
    broken = false;
    expect((await renew(http, refresh_token)).status).toBe(200);
  });
});

describe("the token endpoint, for a session that is bound to a key", () => {
  test.each([
    ["DPoP", false],
    ["Bearer", true],
  ])("asks for a proof over its nonce, and gives the next one (%s)", async (type, refreshOnly) => {
    const http = await startHttp();
    const { proof, signedIn } = await boundClient(http, refreshOnly);
    let { refreshToken } = signedIn;
    let nonce = signedIn.nextChallenge;
    const asked = await renew(http, refreshToken, { DPoP: proof() });
    expect(await oauthErrorOf(asked)).toBe("400 use_dpop_nonce proof_nonce");
    expect(asked.headers.get("access-control-expose-headers")).toContain("DPoP-Nonce");
    expect(asked.headers.get("dpop-nonce")).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    nonce = asked.headers.get("dpop-nonce");
    for (let count = 0; count < 3; count += 1) {
      const response = await renew(http, refreshToken, { DPoP: proof(nonce) });
      const body = await readJson(response);
      expect([response.status, body.token_type]).toEqual([200, type]);
      refreshToken = body.refresh_token;
      nonce = response.headers.get("dpop-nonce");
    }
  });

  test("yields nothing to a request that was captured whole, at once or later, and ends nothing", async () => {
    const http = await startHttp();
    const { proof, signedIn } = await boundClient(http);
    const captured = proof(signedIn.nextChallenge);
    const first = await renew(http, signedIn.refreshToken, { DPoP: captured });
    expect(first.status).toBe(200);
    const again = await renew(http, signedIn.refreshToken, { DPoP: captured });
    expect(await oauthErrorOf(again)).toBe("400 invalid_dpop_proof proof_invalid");
    let { refresh_token } = await readJson(first);
    let nonce = first.headers.get("dpop-nonce");
    for (let count = 0; count < 2; count += 1) {
      const next = await renew(http, refresh_token, { DPoP: proof(nonce) });
      ({ refresh_token } = await readJson(next));
      nonce = next.headers.get("dpop-nonce");
    }
    const late = await renew(http, signedIn.refreshToken, { DPoP: captured });
    expect(await oauthErrorOf(late)).toBe("400 use_dpop_nonce proof_nonce");
    expect((await renew(http, refresh_token, { DPoP: proof(nonce) })).status).toBe(200);
    expect(http.alarms()).toEqual([]);
  });

  test("refuses a missing, a foreign and a doubled proof by name, and ends nothing", async () => {
    const http = await startHttp();
    const { proof, signedIn } = await boundClient(http);
    const { refreshToken, nextChallenge } = signedIn;
    const foreign = dpopProof(createTestKey(), {
      htu: ISSUER + TOKEN,
      iat: Math.floor(http.clock.now() / 1000),
      nonce: nextChallenge,
    });
    const tries = [
      [{}, "proof_missing"],
      [{ DPoP: foreign }, "proof_invalid"],
      [{ DPoP: `${proof()}, ${proof()}` }, "proof_invalid"],
      [{ DPoP: proof(nextChallenge, "/api/auth/refresh") }, "proof_invalid"],
    ] as const;
    for (const [headers, code] of tries) {
      expect(await oauthErrorOf(await renew(http, refreshToken, headers))).toBe(
        `400 invalid_dpop_proof ${code}`,
      );
    }
    expect((await renew(http, refreshToken, { DPoP: proof(nextChallenge) })).status).toBe(200);
  });
});

describe("the revocation endpoint", () => {
  const revoke = (http: TestHttp, token: string, more: Record<string, string> = {}) =>
    post(http, REVOKE, { token, ...more });

  async function isRevoked(response: Response): Promise<boolean> {
    expect(response.headers.get("cache-control")).toBe("no-store");
    return response.status === 200 && (await response.text()) === "";
  }

  test.each(["refresh_token", "access_token"] as const)("ends the session of its %s", async (kind) => {
    const http = await startHttp();
    const tokens = await http.signIn();
    // A wrong hint changes nothing (RFC 7009 §2.1).
    const hint = { token_type_hint: kind === "access_token" ? "refresh_token" : "access_token" };
    expect(await isRevoked(await revoke(http, tokens[kind], hint))).toBe(true);
    expect(await oauthErrorOf(await renew(http, tokens.refresh_token))).toBe(
      "400 invalid_grant refresh_token_revoked",
    );
    expect(await isRevoked(await revoke(http, tokens[kind]))).toBe(true);
    expect(http.events.filter(({ type }) => type === "revoked")).toHaveLength(1);
  });

  test("ends it by a spent token, by one of a cookie session, and by one of a bound session without a proof", async () => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    await renew(http, refresh_token);
    const jar = await http.browser();
    const { signedIn } = await boundClient(http);
    const tokens = [refresh_token, jar.cookies.get("__Secure-ws_refresh") ?? "", signedIn.accessToken];
    for (const token of tokens) expect(await isRevoked(await revoke(http, token))).toBe(true);
    expect(http.events.filter(({ type }) => type === "revoked")).toHaveLength(3);
  });

  test("says the same of a token that is none, and does nothing", async () => {
    const http = await startHttp();
    await http.signIn();
    const before = await http.store.snapshot();
    for (const token of ["x", "wsr1_x", "e30.e30.x", " "]) {
      expect(await isRevoked(await revoke(http, token))).toBe(true);
    }
    expect(await oauthErrorOf(await revoke(http, ""))).toBe("400 invalid_request invalid_request");
    expect(await http.store.snapshot()).toBe(before);
  });

  test("cannot say so where the store fails", async () => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    http.store.failing = true;
    expect(await oauthErrorOf(await revoke(http, refresh_token))).toBe(
      "503 temporarily_unavailable store_unavailable",
    );
    http.store.failing = false;
    expect((await renew(http, refresh_token)).status).toBe(200);
  });
});

describe.each([TOKEN, REVOKE])("the form of %s", (path) => {
  const bytes = (...parts: (string | number[])[]) =>
    Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
  const MALFORMED: [string, string | Uint8Array, Record<string, string>, number][] = [
    ["a doubled parameter", "grant_type=refresh_token&token=a&token=a&refresh_token=a", {}, 400],
    ["a parameter doubled by an escape", "token=a&%74oken=a", {}, 400],
    ["a wrong escape", "token=%zz&grant_type=refresh_token", {}, 400],
    ["invalid UTF-8", bytes("token=", [0xff]), {}, 400],
    ["a byte order mark", "\ufefftoken=a", {}, 400],
    ["too many parameters", "&".repeat(1_001), {}, 400],
    ["nothing in it", "", {}, 400],
    ["JSON", '{"token":"a"}', { "Content-Type": "application/json" }, 415],
    ["text", "token=a", { "Content-Type": "text/plain" }, 415],
    ["a compression", "token=a", { "Content-Encoding": "gzip" }, 415],
    ["another charset", "token=a", { "Content-Type": `${FORM["Content-Type"]};charset=utf-16` }, 415],
    ["10 KB", `token=${"a".repeat(10_000)}`, {}, 413],
  ];
  test.each(MALFORMED)("that is or has %s is refused", async (_, body, headers, status) => {
    const http = await startHttp();
    await http.signIn();
    const before = await http.store.snapshot();
    const refusal = await oauthErrorOf(await post(http, path, body, headers));
    expect(refusal).toMatch(new RegExp(`^${status} invalid_request `));
    expect(await http.store.snapshot()).toBe(before);
  });

  test("has no token in the query, and is posted", async () => {
    const http = await startHttp();
    const { refresh_token } = await http.signIn();
    const form = { grant_type: "refresh_token", refresh_token, token: refresh_token };
    for (const name of ["token", "refresh_token"]) {
      const query = `${path}?${name}=${refresh_token}`;
      expect(await oauthErrorOf(await post(http, query, form))).toBe("400 invalid_request invalid_request");
    }
    const get = await http.send("GET", `${path}?token=${refresh_token}`);
    expect(await oauthErrorOf(get)).toBe("405 invalid_request method_not_allowed");
    expect(get.headers.get("allow")).toBe("POST, OPTIONS");
    const options = await http.send("OPTIONS", path, {
      headers: { "Access-Control-Request-Headers": "dpop" },
    });
    expect(options.headers.get("access-control-allow-headers")).toContain("dpop");
    expect((await renew(http, refresh_token)).status).toBe(200);
  });
});
