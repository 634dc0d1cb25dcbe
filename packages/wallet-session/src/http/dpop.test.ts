// DPoP (RFC 9449) over HTTP: docs/dpop.md. What a proof must have is tested at the engine: ../engine/bound-sessions.test.ts.
import { describe, expect, test } from "vitest";
import { createTestKey, type DpopClaims, dpopProof, hashOf } from "../../test/proofs.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { type Answer, COOKIES, problemOf, readJson, startHttp } from "./http.fixture.ts";

const ORIGIN = "https://pay.example.com";
const [WALLET, REFRESH, SESSION, LOGOUT] = ["wallet", "refresh", "session", "logout"].map(
  (name) => `/api/auth/${name}`,
) as [string, string, string, string];
const HOUR = 3_600_000;
const ALGORITHMS = 'algs="ES256 Ed25519 EdDSA"';

/** A client with a key, on a server of its own or of a store that others share. */
async function startDpop(options: Parameters<typeof startHttp>[0] = {}) {
  const http = await startHttp(options);
  const key = createTestKey();
  const proof = (method: string, path: string, claims: DpopClaims = {}, by = key) =>
    dpopProof(by, { htm: method, htu: ORIGIN + path, iat: http.clock.now() / 1000, ...claims });

  async function signIn(headers: Record<string, string> = {}, claims: DpopClaims = {}) {
    const body = await http.answerFor();
    return http.send("POST", WALLET, {
      body,
      headers: { DPoP: proof("POST", WALLET, claims), ...headers },
    });
  }
  const refresh = (token: string, nonce: string | null, headers: Record<string, string> = {}) =>
    http.send("POST", REFRESH, {
      body: { refresh_token: token },
      headers: { DPoP: proof("POST", REFRESH, nonce === null ? {} : { nonce }), ...headers },
    });
  /** The headers of a guarded request. */
  const bearing = (token: string, method = "GET", path = SESSION, claims: DpopClaims = {}) => ({
    Authorization: `DPoP ${token}`,
    DPoP: proof(method, path, { ath: hashOf(token), ...claims }),
  });
  return { ...http, key, proof, signInBound: signIn, refreshBound: refresh, bearing };
}

const nonceOf = (response: Response) => response.headers.get("dpop-nonce") ?? "no nonce";
const asks = (response: Response) => response.headers.get("www-authenticate");

describe("a sign-in", () => {
  test("with a proof binds the session, whose tokens are DPoP tokens", async () => {
    const { signInBound, send, bearing, engine } = await startDpop();
    const response = await signInBound();
    const { token, access_token, token_type } = await readJson(response);
    expect([response.status, token_type, token]).toEqual([200, "DPoP", access_token]);
    expect(nonceOf(response)).toMatch(/^[\w-]{55}$/);
    const list = await send("GET", "/api/auth/sessions", {
      headers: bearing(access_token, "GET", "/api/auth/sessions"),
    });
    expect(await readJson(list)).toMatchObject({ sessions: [{ binding: "dpop" }] });
    expect(await engine.isOwnAccessToken(access_token)).toBe(true);
  });

  test("for refreshes alone gives bearer tokens", async () => {
    const { signInBound, refreshBound, send } = await startDpop();
    const response = await signInBound({ "Session-Binding": "refresh-only" });
    const { access_token, refresh_token, token_type } = await readJson(response);
    expect(token_type).toBe("Bearer");
    const headers = { Authorization: `Bearer ${access_token}` };
    expect((await send("GET", SESSION, { headers })).status).toBe(200);
    const refreshed = await refreshBound(refresh_token, nonceOf(response));
    expect(await readJson(refreshed)).toMatchObject({ token_type: "Bearer" });
    expect(nonceOf(refreshed)).not.toBe(nonceOf(response));
  });

  test("without a proof is as it was", async () => {
    const { send, answerFor } = await startDpop();
    const response = await send("POST", WALLET, { body: await answerFor() });
    expect(response.headers.get("dpop-nonce")).toBeNull();
    expect(await readJson(response)).toMatchObject({ token_type: "Bearer" });
  });

  test.each<[string, Record<string, string>]>([
    ["a cookie as its transport", { "Session-Transport": "cookie", "Sec-Fetch-Site": "same-origin" }],
    ["another binding", { "Session-Binding": "full" }],
  ])("with %s is refused", async (_, headers) => {
    const { signInBound, store } = await startDpop();
    expect(await problemOf(await signInBound(headers))).toBe("400 invalid_request");
    expect(store.steps).not.toContain("createSession");
  });

  test("is refused where it names a binding and brings no key", async () => {
    const { send, answerFor } = await startDpop();
    const headers = { "Session-Binding": "refresh-only" };
    const response = await send("POST", WALLET, { body: await answerFor(), headers });
    expect(await problemOf(response)).toBe("400 invalid_request");
  });

  test("with a bad proof writes nothing, and its challenge can still be answered", async () => {
    const { proof, send, answerFor, store } = await startDpop();
    const body = await answerFor();
    const post = (dpop: string) => send("POST", WALLET, { body, headers: { DPoP: dpop } });
    const bad = ["garbage", proof("GET", WALLET), proof("POST", REFRESH)];
    for (const dpop of [...bad, `${proof("POST", WALLET)}, ${proof("POST", WALLET)}`]) {
      const response = await post(dpop);
      expect(await problemOf(response)).toBe("400 proof_invalid");
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(asks(response)).toBeNull();
    }
    expect(store.steps).not.toContain("createSession");
    const good = proof("POST", WALLET);
    expect((await post(good)).status).toBe(200);
    expect(await problemOf(await post(good))).toBe("400 proof_invalid");
    expect(await problemOf(await post(proof("POST", WALLET)))).toBe("400 challenge_used");
  });

  test("of a client whose clock is hours off gets a nonce, and the same signature counts", async () => {
    const { clock, proof, send, answerFor } = await startDpop();
    const body = await answerFor();
    const iat = (clock.now() - 5 * HOUR) / 1000;
    const post = (claims: DpopClaims) =>
      send("POST", WALLET, { body, headers: { DPoP: proof("POST", WALLET, { iat, ...claims }) } });
    const refused = await post({});
    expect(await problemOf(refused)).toBe("400 proof_nonce");
    expect((await post({ nonce: nonceOf(refused) })).status).toBe(200);
  });
});

describe("a refresh of a bound session", () => {
  async function signedIn(options: Parameters<typeof startHttp>[0] = {}) {
    const started = await startDpop(options);
    const response = await started.signInBound();
    return { ...started, answer: await readJson(response), nonce: nonceOf(response) };
  }

  test("takes a proof over the nonce that came with the token, and gives the next", async () => {
    const { refreshBound, answer, nonce } = await signedIn();
    let [token, over] = [answer.refresh_token, nonce];
    for (let count = 0; count < 3; count += 1) {
      const response = await refreshBound(token, over);
      const next = await readJson(response);
      expect(next).toMatchObject({ token_type: "DPoP", session_id: answer.session_id });
      [token, over] = [next.refresh_token, nonceOf(response)];
    }
  });

  test("without the right proof is refused with a nonce, and goes on", async () => {
    const { send, refreshBound, proof, answer, nonce } = await signedIn();
    const post = (headers: Record<string, string>) =>
      send("POST", REFRESH, { body: { refresh_token: answer.refresh_token }, headers });
    const other = proof("POST", REFRESH, { nonce }, createTestKey());
    const tries: [Record<string, string>, string, string][] = [
      [{}, "401 proof_missing", "invalid_dpop_proof"],
      [{ DPoP: other }, "401 proof_invalid", "invalid_dpop_proof"],
      [{ DPoP: proof("POST", WALLET, { nonce }) }, "401 proof_invalid", "invalid_dpop_proof"],
      [{ DPoP: proof("POST", REFRESH) }, "401 proof_nonce", "use_dpop_nonce"],
      [{ DPoP: proof("POST", REFRESH, { nonce: "mine" }) }, "401 proof_nonce", "use_dpop_nonce"],
    ];
    for (const [headers, problem, error] of tries) {
      const response = await post(headers);
      expect(await problemOf(response)).toBe(problem);
      expect(asks(response)).toBe(`DPoP error="${error}", ${ALGORITHMS}`);
      expect(nonceOf(response)).toMatch(/^[\w-]{55}$/);
    }
    expect((await refreshBound(answer.refresh_token, nonce)).status).toBe(200);
  });

  test("is retried with the nonce that a refusal gives, hours later, and again", async () => {
    const { refreshBound, answer, nonce, clock } = await signedIn();
    const first = await readJson(await refreshBound(answer.refresh_token, nonce));
    for (let count = 0; count < 3; count += 1) {
      clock.advance(5 * HOUR);
      const refused = await refreshBound(answer.refresh_token, nonce);
      expect(await problemOf(refused)).toBe("401 proof_nonce");
      const again = await readJson(await refreshBound(answer.refresh_token, nonceOf(refused)));
      expect(again.refresh_token).toBe(first.refresh_token);
    }
  });

  test("captured whole and sent again, at once or two rotations later, here or on another node, yields and ends nothing", async () => {
    const store = createMemoryStore();
    const { refreshBound, send, proof, answer, nonce, events, clock } = await signedIn({ store });
    const other = await startHttp({ store, engineOptions: { clock } });
    const captured = {
      body: { refresh_token: answer.refresh_token },
      headers: { DPoP: proof("POST", REFRESH, { nonce }) },
    };
    const replays = async (code: string) => {
      const before = JSON.stringify(await store.findSession(answer.session_id));
      for (const node of [send, other.send]) {
        const response = await node("POST", REFRESH, captured);
        expect(await problemOf(response)).toBe(code);
      }
      expect(JSON.stringify(await store.findSession(answer.session_id))).toBe(before);
    };
    let response = await send("POST", REFRESH, captured);
    await replays("401 proof_invalid");
    for (let count = 0; count < 2; count += 1) {
      const { refresh_token } = await readJson(response);
      response = await refreshBound(refresh_token, nonceOf(response));
      expect(response.status).toBe(200);
      await replays("401 proof_nonce");
    }
    expect([...events, ...other.events].filter(({ type }) => type === "reuse_detected")).toEqual([]);
  });

  test("in a cookie is no refresh of it", async () => {
    const { send, answer, proof, nonce } = await signedIn();
    const headers = {
      Cookie: `${COOKIES.refresh}=${answer.refresh_token}; ${COOKIES.session}=${answer.session_id}`,
      "Sec-Fetch-Site": "same-origin",
      DPoP: proof("POST", REFRESH, { nonce }),
    };
    expect(await problemOf(await send("POST", REFRESH, { headers }))).toBe("401 refresh_token_invalid");
  });

  test("a proof beside the token of an unbound session is nothing: its retry key still makes a retry", async () => {
    const { signIn, refreshBound } = await signedIn();
    const { refresh_token } = await signIn();
    const key = { "Idempotency-Key": "a-retry-key-of-the-client" };
    const first = await readJson(await refreshBound(refresh_token, null, key));
    const again = await readJson(await refreshBound(refresh_token, null, key));
    expect([again.refresh_token, first.token_type]).toEqual([first.refresh_token, "Bearer"]);
  });
});

describe("a guarded request", () => {
  async function guarded(options: Parameters<typeof startDpop>[0] = {}) {
    const started = await startDpop(options);
    const response = await started.signInBound();
    const answer = await readJson(response);
    const get = (headers: Record<string, string>, path = SESSION) => started.send("GET", path, { headers });
    return { ...started, answer, token: answer.access_token, get };
  }

  test("opens with a proof of its own, once on all nodes", async () => {
    const store = createMemoryStore();
    const { get, bearing, token, answer, clock } = await guarded({ store });
    const other = await startHttp({ store, engineOptions: { clock } });
    const headers = bearing(token);
    expect(await readJson(await get(headers))).toMatchObject({ session_id: answer.session_id });
    for (const again of [await get(headers), await other.send("GET", SESSION, { headers })]) {
      expect(await problemOf(again)).toBe("401 proof_invalid");
      expect(asks(again)).toBe(`DPoP error="invalid_dpop_proof", ${ALGORITHMS}`);
    }
    const parallel = bearing(token);
    const answers = await Promise.all(
      [get(parallel), other.send("GET", SESSION, { headers: parallel })].map(
        async (answer) => (await answer).status,
      ),
    );
    expect(answers.sort()).toEqual([200, 401]);
    expect((await get({ ...bearing(token), Authorization: `dpop  ${token}` })).status).toBe(200);
  });

  test("is refused without a proof, and as a bearer token with or without one, also in a cookie", async () => {
    const { get, bearing, token } = await guarded();
    const missing = await get({ Authorization: `DPoP ${token}` });
    expect([await problemOf(missing), asks(missing)]).toEqual([
      "401 proof_missing",
      `DPoP error="invalid_dpop_proof", ${ALGORITHMS}`,
    ]);
    const { DPoP } = bearing(token);
    const cookie = { Cookie: `${COOKIES.access}=${token}` };
    const bearer = { Authorization: `Bearer ${token}` };
    for (const headers of [bearer, { ...bearer, DPoP }, cookie, { ...cookie, DPoP }] as Record<
      string,
      string
    >[]) {
      const response = await get(headers);
      expect([await problemOf(response), asks(response)]).toEqual([
        "401 access_token_invalid",
        'Bearer error="invalid_token"',
      ]);
    }
    expect((await get({ Authorization: `DPoP ${token}`, DPoP })).status).toBe(200);
  });

  test("with a bearer token by the scheme DPoP is refused by that scheme, and so is one that is over", async () => {
    const { get, signIn, bearing, token, engine, answer, clock } = await guarded();
    const plain = await signIn();
    const refusedAs = async (response: Response, problem: string) => {
      expect(await problemOf(response)).toBe(problem);
      expect(asks(response)).toBe(`DPoP error="invalid_token", ${ALGORITHMS}`);
    };
    await refusedAs(await get(bearing(plain.access_token)), "401 access_token_invalid");
    await refusedAs(await get(bearing("nobody's")), "401 access_token_invalid");
    await engine.revokeByRefreshToken(answer.refresh_token, "logout");
    await refusedAs(await get(bearing(token)), "401 session_revoked");
    clock.advance(HOUR);
    await refusedAs(await get(bearing(token)), "401 access_token_expired");
    expect(await problemOf(await get({ Authorization: "DPoP undefined" }))).toBe("401 access_token_missing");
  });

  test("of a client whose clock is hours off gets a nonce that serves for many", async () => {
    const { get, bearing, token, clock } = await guarded();
    const iat = clock.now() / 1000 + 5 * 3_600;
    const refused = await get(bearing(token, "GET", SESSION, { iat }));
    expect([await problemOf(refused), asks(refused)]).toEqual([
      "401 proof_nonce",
      `DPoP error="use_dpop_nonce", ${ALGORITHMS}`,
    ]);
    const nonce = nonceOf(refused);
    for (let count = 0; count < 2; count += 1) {
      expect((await get(bearing(token, "GET", SESSION, { iat, nonce }))).status).toBe(200);
    }
  });

  test("by the guards of an app, and to an event stream", async () => {
    const { handlers, bearing, token, answer, send, get } = await guarded();
    const request = (headers: Record<string, string>) => new Request(`${ORIGIN}/api/boats?x=1`, { headers });
    const good = () => bearing(token, "GET", "/api/boats");
    const expected = { sessionId: answer.session_id };
    expect(await handlers.guard(request(good()))).toMatchObject(expected);
    expect(await handlers.identify(request(good()))).toMatchObject(expected);
    expect(await handlers.guardPage(request(good()), { signInPath: "/in" })).toMatchObject(expected);
    const bare = { Authorization: `DPoP ${token}` };
    await expect(handlers.identify(request(bare))).rejects.toMatchObject({ code: "proof_missing" });
    const events = { ...bearing(token, "GET", "/api/auth/events"), Accept: "text/event-stream" };
    const stream = await get({ ...events, Origin: "https://elsewhere.example" }, "/api/auth/events");
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
    const preflight = await send("OPTIONS", SESSION, { headers: { Origin: "https://elsewhere.example" } });
    expect(preflight.headers.get("access-control-expose-headers")).toContain("DPoP-Nonce");
  });

  test("of a page with the token in a cookie goes to the sign-in", async () => {
    const { handlers, token } = await guarded();
    const headers = {
      Cookie: `${COOKIES.access}=${token}`,
      "Sec-Fetch-Dest": "document",
      Accept: "text/html",
    };
    const answer = await handlers.guardPage(new Request(`${ORIGIN}/account`, { headers }), {
      signInPath: "/in",
    });
    expect(answer).toMatchObject({ status: 303 });
  });
});

describe("a sign-out", () => {
  async function signedIn() {
    const started = await startDpop();
    const answer = await readJson(await started.signInBound());
    const isLive = async ({ session_id }: Answer) =>
      (await started.engine.getSessionStatus(session_id)).status === "live";
    return { ...started, answer, token: answer.access_token, isLive };
  }

  test("by the access token needs a proof", async () => {
    const { send, bearing, answer, token, isLive } = await signedIn();
    const thieves = [
      { Authorization: `Bearer ${token}` },
      { Authorization: `DPoP ${token}` },
      { ...bearing(token, "POST", SESSION) },
    ] as Record<string, string>[];
    for (const headers of thieves) {
      expect(await problemOf(await send("POST", LOGOUT, { headers }))).toMatch(/^401 proof_/);
    }
    const jar = { Cookie: `${COOKIES.access}=${token}`, "Sec-Fetch-Site": "same-origin" };
    expect((await send("POST", LOGOUT, { headers: jar })).status).toBe(204);
    expect(await isLive(answer)).toBe(true);
    expect((await send("POST", LOGOUT, { headers: bearing(token, "POST", LOGOUT) })).status).toBe(204);
    expect(await isLive(answer)).toBe(false);
    expect((await send("POST", LOGOUT, { headers: bearing(token, "POST", LOGOUT) })).status).toBe(204);
  });

  test("by the refresh token needs none", async () => {
    const { send, answer, isLive } = await signedIn();
    const response = await send("POST", LOGOUT, { body: { refresh_token: answer.refresh_token } });
    expect([response.status, await isLive(answer)]).toEqual([204, false]);
  });

  test("by a bearer token is as it was", async () => {
    const { send, signIn, isLive } = await signedIn();
    const answer = await signIn();
    const headers = { Authorization: `Bearer ${answer.access_token}` };
    expect((await send("POST", LOGOUT, { headers })).status).toBe(204);
    expect(await isLive(answer)).toBe(false);
  });
});

describe("the address that a proof speaks of", () => {
  test.each<[base: string, seen: string, inside: string]>([
    ["/api/auth", "/api/auth/session", "/api/auth/session"],
    ["/api/auth", "/api/auth/session/", "/api/auth/session"],
    ["/api/auth", "/api/auth/session", "/api/auth/session/"],
    ["/api/auth", "/api/%7Eboats", "/api/~boats"],
    // What Next takes off for its basePath, and a proxy.
    ["/shop/api/auth", "/shop/api/auth/session", "/api/auth/session"],
    ["/shop/api/auth", "/shop/api/boats/", "/api/boats"],
    ["/shop/auth", "/shop/api/boats", "/api/boats"],
    ["/shop/api/auth", "/shop/api/auth/session", "/auth/session"],
  ])("under %s, is %s where the server sees %s", async (basePath, seen, inside) => {
    const { handlers, engine, key, clock } = await startDpop({ basePath });
    const token = await boundToken(engine, clock, key);
    // Behind a proxy the request's own scheme and host are the server's.
    const guard = (htu: string) =>
      handlers.guard(
        new Request(`http://10.0.0.7:3000${inside}?page=2`, {
          headers: {
            Authorization: `DPoP ${token}`,
            DPoP: dpopProof(key, { htm: "GET", htu, iat: clock.now() / 1000, ath: hashOf(token) }),
          },
        }),
      );
    expect(await guard(ORIGIN + seen)).toMatchObject({ thumbprint: key.thumbprint });
    for (const htu of [`http://10.0.0.7:3000${inside}`, `${ORIGIN}${seen}/more`, `${ORIGIN}/x${seen}`]) {
      await expect(guard(htu)).rejects.toMatchObject({ code: "proof_invalid" });
    }
  });

  async function boundToken(
    engine: Awaited<ReturnType<typeof startDpop>>["engine"],
    clock: { now(): number },
    key: ReturnType<typeof createTestKey>,
  ): Promise<string> {
    const challenge = { id: crypto.randomUUID(), expiresAt: clock.now() + HOUR };
    const proof = dpopProof(key, { htu: ORIGIN, iat: clock.now() / 1000 });
    const { accessToken } = await engine.signIn(
      { actorId: "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H", challenge },
      {
        transport: "body",
        client: { browser: null, os: null, device: null, ip: null },
        dpop: { proof, method: "POST", urls: [ORIGIN] },
      },
    );
    return accessToken;
  }

  test("of a sibling with a shorter path is none", async () => {
    const { handlers, signInBound, bearing } = await startDpop();
    const { access_token } = await readJson(await signInBound());
    const headers = bearing(access_token, "GET", "/api/streams");
    const call = handlers.guard(new Request(`${ORIGIN}/streams`, { headers }));
    await expect(call).rejects.toMatchObject({ code: "proof_invalid" });
  });
});
