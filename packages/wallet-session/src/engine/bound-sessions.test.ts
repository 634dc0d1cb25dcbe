// Sessions that are bound to a key, on the memory store: docs/protocol.md, "Bound sessions".
import { describe, expect, test } from "vitest";
import {
  createTestKey,
  type DpopClaims,
  deviceProof,
  dpopProof,
  hashOf,
  registrationProof,
  type TestKey,
} from "../../test/proofs.ts";
import { SessionError } from "../errors.ts";
import { createMemoryStore } from "../stores/memory.ts";
import {
  ACTOR,
  codeOf,
  issued,
  OTHER_SECRET,
  SECRET,
  startEngine,
  type TestEngine,
} from "./engine.fixture.ts";
import type { IssuedTokens } from "./session-engine.ts";

const URL_OF_REFRESH = "https://pay.example.com/api/auth/refresh";
const HOUR = 3_600_000;

async function start(options: Parameters<typeof startEngine>[1] = {}) {
  const store = createMemoryStore();
  return { store, ...(await startEngine(store, options)) };
}

const request = (proof: string, method = "POST", url = URL_OF_REFRESH) => ({ proof, method, urls: [url] });

/** The challenge of a refusal. */
async function challengeOf(call: Promise<unknown>, code: string): Promise<string> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (!(error instanceof SessionError)) throw new Error("expected a refusal");
  expect(error.code).toBe(code);
  return error.challenge ?? "";
}

/** A client with a DPoP key. */
async function dpopClient(
  { engine, clock }: TestEngine,
  { refreshOnly = false, algorithm = "ES256" }: { refreshOnly?: boolean; algorithm?: "ES256" | "EdDSA" } = {},
) {
  const key = createTestKey(algorithm);
  const now = () => Math.floor(clock.now() / 1000);
  const proof = (claims: DpopClaims = {}, by: TestKey = key) =>
    request(dpopProof(by, { htu: URL_OF_REFRESH, iat: now(), ...claims }));
  const challenge = { id: crypto.randomUUID(), expiresAt: clock.now() + 300_000 };
  const signedIn = await engine.signIn(
    { actorId: ACTOR, challenge },
    {
      transport: "body",
      client: { browser: null, os: null, device: null, ip: null },
      dpop: proof(),
      refreshOnly,
    },
  );
  const refresh = async (tokens: IssuedTokens, nonce = tokens.nextChallenge) =>
    (await engine.refresh(tokens.refreshToken, { dpop: proof({ nonce }) })).tokens;
  return { key, proof, signedIn, refresh, now };
}

describe("a session bound to a DPoP key", () => {
  test.each(["ES256", "EdDSA"] as const)("rotates with a proof over its nonce (%s)", async (algorithm) => {
    const started = await start();
    const { signedIn, refresh, key } = await dpopClient(started, { algorithm });
    expect(signedIn.session.binding).toBe(`dpop:${key.thumbprint}`);
    let tokens = signedIn;
    for (let generation = 2; generation <= 4; generation += 1) {
      tokens = await refresh(tokens);
      expect(tokens.session.generation).toBe(generation);
    }
    expect(started.events.filter(({ type }) => type === "bound")).toHaveLength(1);
  });

  test("is signed in to once by each proof", async () => {
    const { engine, clock } = await start();
    const client = { browser: null, os: null, device: null, ip: null };
    const dpop = request(
      dpopProof(createTestKey(), { htu: URL_OF_REFRESH, iat: Math.floor(clock.now() / 1000) }),
    );
    const signIn = (id: string) =>
      engine.signIn(
        { actorId: ACTOR, challenge: { id, expiresAt: clock.now() + 300_000 } },
        { transport: "body", client, dpop },
      );
    await signIn("the first challenge");
    expect(await codeOf(signIn("the second challenge"))).toBe("proof_invalid");
  });

  test("goes on, and its owner is told once an hour, where tokens come without the key", async () => {
    const started = await start();
    const { engine, store, clock, events } = started;
    const { signedIn, refresh, proof } = await dpopClient(started);
    const thief = createTestKey();
    const before = await store.findSession(signedIn.session.id);
    const token = signedIn.refreshToken;
    const nonce = signedIn.nextChallenge;
    const tries = [
      [{}, "proof_missing"],
      [{ retryKey: "a-retry-key-of-the-thief" }, "proof_missing"],
      [{ dpop: proof({ nonce }, thief) }, "proof_invalid"],
      [{ dpop: request("garbage") }, "proof_invalid"],
      [{ dpop: proof({ nonce, htm: "GET" }) }, "proof_invalid"],
    ] as const;
    for (const [options, code] of tries) {
      expect(await codeOf(engine.refresh(token, options))).toBe(code);
      expect(await store.findSession(signedIn.session.id)).toEqual(before);
    }
    expect(events.filter(({ type }) => type === "proof_failed")).toHaveLength(1);
    clock.advance(HOUR);
    expect(await codeOf(engine.refresh(token))).toBe("proof_missing");
    expect(events.filter(({ type }) => type === "proof_failed")).toHaveLength(2);
    expect(await store.proofFailures([signedIn.session.id])).toEqual(
      new Map([[signedIn.session.id, clock.now()]]),
    );
    const asked = engine.refresh(token, { dpop: proof({ nonce }) });
    const tokens = await refresh(signedIn, await challengeOf(asked, "proof_nonce"));
    // Spent by now, and still it is not looked at.
    expect(await codeOf(engine.refresh(token))).toBe("proof_missing");
    await refresh(tokens);
  });

  test("gives the same successor to a retry with a fresh proof, without a time limit", async () => {
    const started = await start();
    const { clock, engine } = started;
    const { signedIn, refresh, proof } = await dpopClient(started);
    const first = await refresh(signedIn);
    clock.advance(24 * HOUR);
    const call = engine.refresh(signedIn.refreshToken, { dpop: proof({ nonce: signedIn.nextChallenge }) });
    const nonce = await challengeOf(call, "proof_nonce");
    const retried = await refresh(signedIn, nonce);
    expect(retried.refreshToken).toBe(first.refreshToken);
    await refresh(retried);
  });

  test("a request that was captured whole yields nothing and ends nothing, however late", async () => {
    const started = await start();
    const { store, engine } = started;
    const { signedIn, refresh, proof } = await dpopClient(started);
    const captured = proof({ nonce: signedIn.nextChallenge });
    const { tokens } = await engine.refresh(signedIn.refreshToken, { dpop: captured });
    expect(await codeOf(engine.refresh(signedIn.refreshToken, { dpop: captured }))).toBe("proof_invalid");
    // The retry of a client whose answer was lost is captured as well.
    const asked = engine.refresh(signedIn.refreshToken, { dpop: proof({ nonce: tokens.nextChallenge }) });
    const retry = proof({ nonce: await challengeOf(asked, "proof_nonce") });
    await engine.refresh(signedIn.refreshToken, { dpop: retry });
    expect(await codeOf(engine.refresh(signedIn.refreshToken, { dpop: retry }))).toBe("proof_invalid");
    let newest = tokens;
    for (let count = 0; count < 3; count += 1) {
      newest = await refresh(newest);
      for (const dpop of [captured, retry]) {
        const before = await store.findSession(signedIn.session.id);
        expect(await codeOf(engine.refresh(signedIn.refreshToken, { dpop }))).toBe("proof_nonce");
        expect(await store.findSession(signedIn.session.id)).toEqual(before);
      }
    }
  });

  test("of two requests with one proof at once, one is answered", async () => {
    const started = await start();
    const { engine } = started;
    const { signedIn, proof } = await dpopClient(started);
    const dpop = proof({ nonce: signedIn.nextChallenge });
    const answers = await Promise.allSettled(
      [1, 2, 3].map(() => engine.refresh(signedIn.refreshToken, { dpop })),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("an older token with a fresh proof is reuse", async () => {
    const started = await start();
    const { alarms } = started;
    const { signedIn, refresh } = await dpopClient(started);
    const newest = await refresh(await refresh(signedIn));
    const nonce = await challengeOf(refresh(signedIn, newest.nextChallenge), "proof_nonce");
    expect(await codeOf(refresh(signedIn, nonce))).toBe("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
    expect(await codeOf(refresh(newest))).toBe("refresh_token_revoked");
  });

  test("rotates by the same key where the key is proved at refreshes alone, and its access tokens are bearer tokens", async () => {
    const started = await start();
    const { engine } = started;
    const { signedIn, refresh } = await dpopClient(started, { refreshOnly: true });
    const tokens = await refresh(signedIn);
    expect(tokens.session.generation).toBe(2);
    expect(await engine.authenticate(tokens.accessToken)).toMatchObject({ thumbprint: null });
    expect(await codeOf(engine.refresh(tokens.refreshToken))).toBe("proof_missing");
  });

  test("nonces of another session, another use, or an hour ago are none", async () => {
    const started = await start();
    const { engine, clock } = started;
    const own = await dpopClient(started);
    const other = await dpopClient(started);
    expect(engine.registrationChallenge(own.signedIn.session)).toBeNull();
    for (const nonce of [other.signedIn.nextChallenge, undefined, "", "x".repeat(55), 7]) {
      const dpop = own.proof({ nonce });
      await challengeOf(engine.refresh(own.signedIn.refreshToken, { dpop }), "proof_nonce");
    }
    clock.advance(HOUR + 2_000);
    const nonce = await challengeOf(own.refresh(own.signedIn), "proof_nonce");
    await own.refresh(own.signedIn, nonce);
  });

  test("its nonces and tokens outlive a change of secrets", async () => {
    const started = await start();
    const { store, clock } = started;
    const client = await dpopClient(started);
    const changed = await startEngine(store, { clock, secrets: [OTHER_SECRET, SECRET] });
    const dpop = client.proof({ nonce: client.signedIn.nextChallenge });
    const { tokens } = await changed.engine.refresh(client.signedIn.refreshToken, { dpop });
    expect(tokens.session.generation).toBe(2);
  });

  test("a proof to a session that is bound to none means nothing", async () => {
    const { engine, signIn, clock } = await start();
    const { refreshToken } = await signIn("body");
    const dpop = request(
      dpopProof(createTestKey(), { htu: URL_OF_REFRESH, iat: Math.floor(clock.now() / 1000) }),
    );
    const { tokens } = await engine.refresh(refreshToken, { dpop });
    expect(tokens.session.binding).toBeNull();
    expect((await engine.refresh(tokens.refreshToken)).outcome).toBe("rotated");
  });

  test("nor is anybody told of a bad proof to it, or to one that is over or gone", async () => {
    const started = await start();
    const { engine, store, signIn, events } = started;
    const free = await signIn("body");
    const bad = { dpop: request("garbage") };
    expect(await codeOf(engine.refresh(free.refreshToken, bad))).toBe("proof_invalid");
    const { signedIn, proof } = await dpopClient(started);
    await engine.revokeSession(ACTOR, signedIn.session.id);
    expect(await codeOf(engine.refresh(signedIn.refreshToken, bad))).toBe("proof_invalid");
    expect(events.filter(({ type }) => type === "proof_failed")).toEqual([]);
    expect((await store.findSession(free.session.id))?.revokedAt).toBeNull();
    // As after a restore: another store knows nothing of the session.
    const restored = await startEngine(createMemoryStore(), { clock: started.clock });
    const good = { dpop: proof({ nonce: "of-no-generation" }) };
    for (const dpop of [bad, good]) {
      expect(await codeOf(restored.engine.refresh(signedIn.refreshToken, dpop))).toMatch(
        dpop === bad ? "proof_invalid" : "refresh_token_invalid",
      );
    }
    expect(restored.events.filter(({ type }) => type === "proof_failed")).toEqual([]);
  });
});

describe("an access token that is bound to a key", () => {
  const URL = "https://pay.example.com/api/streams";
  async function guarded(store = createMemoryStore()) {
    const started = { store, ...(await startEngine(store)) };
    const client = await dpopClient(started);
    const { accessToken } = client.signedIn;
    const good = { htm: "GET", htu: URL, ath: hashOf(accessToken), iat: client.now() };
    const open = (claims: DpopClaims = {}, by = client.key, header: object = {}) =>
      started.engine.authenticate(accessToken, {
        dpop: request(dpopProof(by, { ...good, ...claims }, header), "GET", `${URL}?page=2`),
      });
    return { ...started, ...client, accessToken, open };
  }

  test("opens with a proof by that key, which counts once", async () => {
    const { open, key, engine, accessToken } = await guarded();
    expect(await open()).toMatchObject({ actorId: ACTOR, thumbprint: key.thumbprint });
    expect(await open({ htu: `${URL}#part` })).toMatchObject({ actorId: ACTOR });
    expect(await codeOf(engine.authenticate(accessToken))).toBe("proof_missing");
    await open({ jti: "one" });
    expect(await codeOf(open({ jti: "one" }))).toBe("proof_invalid");
  });

  test("opens for nobody while the store cannot mark its proof, and with the next proof after that", async () => {
    const memory = createMemoryStore();
    const fault = { now: false };
    const consumeChallenge: typeof memory.consumeChallenge = async (challenge) => {
      if (fault.now) throw new Error("the store is down");
      return memory.consumeChallenge(challenge);
    };
    const { open } = await guarded({ ...memory, consumeChallenge });
    fault.now = true;
    expect(await codeOf(open())).toBe("store_unavailable");
    fault.now = false;
    expect(await open()).toMatchObject({ actorId: ACTOR });
  });

  test.each<[string, DpopClaims, object?]>([
    ["another method", { htm: "POST" }],
    ["another path", { htu: "https://pay.example.com/api/operations" }],
    ["another host", { htu: "https://pay.example.org/api/streams" }],
    ["no address", { htu: undefined }],
    ["no method", { htm: undefined }],
    ["no id", { jti: undefined }],
    ["an empty id", { jti: "" }],
    ["a time that is no number", { iat: "now" }],
    ["the hash of another token", { ath: hashOf("another") }],
    ["no hash of the token", { ath: undefined }],
    ["another type", {}, { typ: "jwt" }],
    ["no algorithm", {}, { alg: "none" }],
    ["an algorithm that the key is not of", {}, { alg: "EdDSA" }],
    ["a symmetric algorithm", {}, { alg: "HS256" }],
    ["a critical extension", {}, { crit: ["b64"] }],
    ["no key", {}, { jwk: undefined }],
    ["a key that is a text", {}, { jwk: "key" }],
  ])("refuses a proof with %s", async (_, claims, header) => {
    const { open, key } = await guarded();
    expect(await codeOf(open(claims, key, header))).toBe("proof_invalid");
  });

  test("refuses a key with a private part, a point off the curve, and a key of somebody else's", async () => {
    const { open, key } = await guarded();
    const off = { ...key.jwk, x: Buffer.alloc(32, 1).toString("base64url") };
    for (const jwk of [{ ...key.jwk, d: "AAAA" }, off, { ...key.jwk, crv: "P-384" }, createTestKey().jwk]) {
      expect(await codeOf(open({}, key, { jwk }))).toBe("proof_invalid");
    }
    expect(await codeOf(open({}, createTestKey()))).toBe("proof_invalid");
    expect(await codeOf(open({}, createTestKey(), { jwk: key.jwk }))).toBe("proof_invalid");
  });

  test("is proved once by each proof for as long as that is good, also after pruning", async () => {
    const { open, store, clock, now } = await guarded();
    const ahead = { jti: "one", iat: now() + 60 };
    await open(ahead);
    clock.advance(119_000);
    const limits = { sessionsBefore: 0, revocationsBefore: 0, eventsBefore: 0, limit: 100 };
    await store.prune({ now: clock.now(), ...limits });
    expect(await codeOf(open(ahead))).toBe("proof_invalid");
    expect(await open({ ...ahead, jti: "two" })).toMatchObject({ actorId: ACTOR });
  });

  test("a client whose clock is wrong gets a nonce", async () => {
    const { open, clock, now } = await guarded();
    for (const iat of [now() - 62, now() + 62, 0]) {
      const nonce = await challengeOf(open({ iat }), "proof_nonce");
      expect(await open({ iat, nonce })).toMatchObject({ actorId: ACTOR });
      clock.advance(5 * 60_000 + 2_000);
      expect(await codeOf(open({ iat, nonce }))).toMatch(/proof_nonce|access_token_expired/);
    }
  });
});

/** A browser that has registered a key for its session. */
async function deviceBrowser({ engine, signIn }: TestEngine) {
  const key = createTestKey();
  const signedIn = await signIn("cookie");
  const challenge = engine.registrationChallenge(signedIn.session) ?? "";
  const register = (token: string, over = challenge, header: object = {}) =>
    engine.registerDevice(token, registrationProof(key, over, header));
  const { deviceId } = await register(signedIn.refreshToken);
  const refresh = (token: string, over: string | null, by: TestKey = key, header: object = {}) =>
    engine.refreshDevice(token, { deviceId, proof: over === null ? null : deviceProof(by, over, header) });
  /** As browsers do: without a challenge they ask for one. */
  const renew = async (token: string) =>
    (await refresh(token, await challengeOf(refresh(token, null), "proof_nonce"))).tokens;
  return { key, signedIn, challenge, register, deviceId, refresh, renew };
}

describe("a session that its browser binds to a device key", () => {
  test("is bound by the first proof, in the step that rotates", async () => {
    const started = await start();
    const { signedIn, renew, refresh } = await deviceBrowser(started);
    expect((await started.store.findSession(signedIn.session.id))?.binding).toBeNull();
    const bound = await renew(signedIn.refreshToken);
    expect(bound.session.binding).toMatch(/^device:1:[\w-]{44}$/);
    expect(bound.session.generation).toBe(2);
    expect(started.events.filter(({ type }) => type === "bound")).toHaveLength(1);
    const next = await refresh(bound.refreshToken, bound.nextChallenge);
    expect(next).toMatchObject({ outcome: "rotated", tokens: { session: { generation: 3 } } });
    expect(started.events.filter(({ type }) => type === "bound")).toHaveLength(1);
    expect(await codeOf(started.engine.authenticate(next.tokens.accessToken))).not.toBe("proof_missing");
  });

  test("a registration leaves nothing, so one whose answer was lost is made again", async () => {
    const started = await start();
    const { signedIn, register, challenge } = await deviceBrowser(started);
    const again = await register(signedIn.refreshToken, challenge);
    expect(again.session.binding).toBeNull();
    expect((await started.engine.refreshJar(signedIn.refreshToken)).outcome).toBe("rotated");
  });

  test("is registered by its key, over a challenge of the session's own generation", async () => {
    const started = await start();
    const { key, signedIn, challenge, register } = await deviceBrowser(started);
    const byAnother = registrationProof(createTestKey(), challenge, { jwk: key.jwk });
    const { refreshToken } = signedIn;
    expect(await codeOf(started.engine.registerDevice(refreshToken, byAnother))).toBe("proof_invalid");
    const next = await issued(started.refresh(refreshToken, { by: "cookie" }));
    const current = started.engine.registrationChallenge(next.session) ?? "";
    expect(await codeOf(register(next.refreshToken, challenge))).toBe("proof_invalid");
    await register(next.refreshToken, current);
  });

  test("is not proved over a challenge to register, nor by a name that the service has not given", async () => {
    const started = await start();
    const { signedIn, challenge, deviceId, refresh } = await deviceBrowser(started);
    const { refreshToken } = signedIn;
    await challengeOf(refresh(refreshToken, challenge), "proof_nonce");
    const other = await deviceBrowser(started);
    const forged = Buffer.from(deviceId, "base64url");
    // With the other's key (bindings/device-id.ts).
    Buffer.from(other.deviceId, "base64url").copy(forged, 24, 24, 57);
    const call = started.engine.refreshDevice(refreshToken, {
      deviceId: forged.toString("base64url"),
      proof: null,
    });
    expect(await codeOf(call)).toBe("proof_invalid");
  });

  test("a copied jar opens nothing and ends nothing, at once or later, spent or not", async () => {
    const started = await start();
    const { engine, store, clock, events } = started;
    const { signedIn, renew, refresh, deviceId } = await deviceBrowser(started);
    const bound = await renew(signedIn.refreshToken);
    const stolen = bound.refreshToken;
    const steal = async () => {
      const before = await store.findSession(signedIn.session.id);
      const thief = deviceProof(createTestKey(), bound.nextChallenge ?? "");
      const tries = [
        [engine.refreshJar(stolen), "proof_missing"],
        [
          engine.refreshJar(stolen, { accessToken: bound.accessToken, retryKey: "x".repeat(20) }),
          "proof_missing",
        ],
        [engine.refreshDevice(stolen, { deviceId, proof: thief }), "proof_invalid"],
        [engine.refreshDevice(stolen, { deviceId: "x".repeat(98), proof: thief }), "proof_invalid"],
        [engine.refreshDevice(stolen, { deviceId, proof: null }), "proof_nonce"],
        [engine.refresh(stolen), "refresh_token_invalid"],
      ] as const;
      for (const [call, code] of tries) expect(await codeOf(call)).toBe(code);
      expect(await store.findSession(signedIn.session.id)).toEqual(before);
    };
    await steal();
    let { tokens } = await refresh(stolen, bound.nextChallenge);
    await steal();
    clock.advance(HOUR);
    tokens = await renew(tokens.refreshToken);
    await steal();
    await renew(tokens.refreshToken);
    expect(events.filter(({ type }) => type === "proof_failed")).toHaveLength(2);
    expect(events.filter(({ type }) => type === "reuse_detected")).toEqual([]);
  });

  test("a captured request yields nothing, and a browser that sends its proof again gets a new challenge", async () => {
    const started = await start();
    const { signedIn, renew, refresh, key, deviceId } = await deviceBrowser(started);
    const bound = await renew(signedIn.refreshToken);
    const proof = deviceProof(key, bound.nextChallenge ?? "");
    const send = () => started.engine.refreshDevice(bound.refreshToken, { deviceId, proof });
    const first = await send();
    const challenge = await challengeOf(send(), "proof_nonce");
    const retried = await refresh(bound.refreshToken, challenge);
    expect(retried).toMatchObject({ outcome: "replayed" });
    expect(retried.tokens.refreshToken).toBe(first.tokens.refreshToken);
    expect(await codeOf(refresh(bound.refreshToken, challenge))).toBe("proof_nonce");
    await renew(retried.tokens.refreshToken);
    expect(await codeOf(send())).toBe("proof_nonce");
  });

  test("the proof of a retry swaps nothing, and that of a swap retries nothing", async () => {
    const started = await start();
    const { signedIn, renew, refresh, key, deviceId } = await deviceBrowser(started);
    const bound = await renew(signedIn.refreshToken);
    const first = await refresh(bound.refreshToken, bound.nextChallenge);
    const ofRetry = await challengeOf(refresh(bound.refreshToken, null), "proof_nonce");
    const captured = { deviceId, proof: deviceProof(key, ofRetry) };
    await started.engine.refreshDevice(bound.refreshToken, captured);
    const newest = first.tokens.refreshToken;
    expect(await codeOf(started.engine.refreshDevice(newest, captured))).toBe("proof_nonce");
    const ofSwap = await challengeOf(refresh(newest, null), "proof_nonce");
    expect(await codeOf(refresh(bound.refreshToken, ofSwap))).toBe("proof_nonce");
    await renew(newest);
  });

  test("a browser that could not prove its key, or whose first proof was not answered, is no thief", async () => {
    const started = await start();
    const { engine, clock, alarms, events } = started;
    const { signedIn, renew } = await deviceBrowser(started);
    const token = signedIn.refreshToken;
    const bound = await renew(token);
    clock.advance(120_000);
    // Its answer was lost, and the page asks as it did before.
    const { accessToken } = signedIn;
    expect(await codeOf(engine.refreshJar(token, { accessToken }))).toBe("proof_missing");
    expect(await codeOf(engine.refreshJar(token, { couldNotProve: true }))).toBe("proof_missing");
    expect(await codeOf(engine.refreshJar(bound.refreshToken, { couldNotProve: true }))).toBe(
      "proof_missing",
    );
    expect(alarms()).toEqual([]);
    expect(events.filter(({ type }) => type === "proof_failed")).toEqual([]);
    expect((await renew(token)).refreshToken).toBe(bound.refreshToken);
  });

  test("a thief who binds a stolen jar to a key of his own is found out by the jar's next refresh", async () => {
    const started = await start({ refreshLeewayMs: 30_000 });
    const { engine, clock, alarms } = started;
    // The browser itself has no device keys: the thief registers.
    const thief = await deviceBrowser(started);
    const stolen = thief.signedIn.refreshToken;
    const bound = await thief.renew(stolen);
    // A request that left before the answer came is not judged yet.
    expect(await codeOf(engine.refreshJar(stolen))).toBe("proof_missing");
    expect(alarms()).toEqual([]);
    clock.advance(30_000);
    expect(await codeOf(engine.refreshJar(stolen))).toBe("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
    const call = thief.refresh(bound.refreshToken, bound.nextChallenge);
    expect(await codeOf(call)).toBe("refresh_token_revoked");
  });

  test("a key that was registered before the session's last refresh binds nothing", async () => {
    const started = await start();
    const { signedIn, refresh } = await deviceBrowser(started);
    const rotated = await started.engine.refreshJar(signedIn.refreshToken);
    if (rotated.outcome === "unchanged") throw new Error("expected a rotation");
    const challenge = await challengeOf(refresh(rotated.tokens.refreshToken, null), "proof_nonce").catch(
      () => "",
    );
    expect(await codeOf(refresh(rotated.tokens.refreshToken, challenge))).toBe("proof_invalid");
    expect((await started.engine.refreshJar(rotated.tokens.refreshToken)).outcome).toBe("rotated");
  });

  test("a thief who rotates on and on is found out all the same", async () => {
    const started = await start({ refreshLeewayMs: 30_000 });
    const { engine, clock, alarms } = started;
    const thief = await deviceBrowser(started);
    const stolen = thief.signedIn.refreshToken;
    let token = stolen;
    const codes: string[] = [];
    while (alarms().length === 0 && codes.length < 10) {
      token = (await thief.renew(token)).refreshToken;
      clock.advance(26_000);
      codes.push(await codeOf(engine.refreshJar(stolen)));
    }
    expect(codes).toEqual(["proof_missing", "proof_missing", "refresh_token_reused"]);
  });

  test("a lost answer to a page's refresh beside the registration is retried, and no reuse", async () => {
    const started = await start();
    const { signedIn, refresh, engine } = { ...(await deviceBrowser(started)), engine: started.engine };
    const retryKey = "the-retry-key-of-the-jar";
    const first = await engine.refreshJar(signedIn.refreshToken, { retryKey });
    started.clock.advance(60_000);
    // The browser comes with its key first, and its answer ends the registration alone.
    for (const over of [null, started.engine.registrationChallenge(signedIn.session)]) {
      expect(await codeOf(refresh(signedIn.refreshToken, over))).toBe("proof_invalid");
    }
    expect(started.alarms()).toEqual([]);
    const retried = await engine.refreshJar(signedIn.refreshToken, { retryKey });
    expect(retried).toMatchObject({ outcome: "replayed" });
    expect(first).toMatchObject({ outcome: "rotated" });
  });

  test("of a tab's refresh and the first proof at once one swaps, and the session goes on", async () => {
    const started = await start();
    const { signedIn, refresh, engine } = { ...(await deviceBrowser(started)), engine: started.engine };
    const token = signedIn.refreshToken;
    const challenge = await challengeOf(refresh(token, null), "proof_nonce");
    const [byTab, byDevice] = await Promise.allSettled([engine.refreshJar(token), refresh(token, challenge)]);
    expect([byTab.status, byDevice.status]).toContain("fulfilled");
    expect(started.alarms()).toEqual([]);
    expect((await started.store.findSession(signedIn.session.id))?.revokedAt).toBeNull();
  });

  test("is bound once: a second key is refused, and so is a registration by whom the jar does not name", async () => {
    const started = await start();
    const { signedIn, renew, register, challenge, deviceId } = await deviceBrowser(started);
    const other = await deviceBrowser(started);
    expect(await codeOf(other.register(other.signedIn.refreshToken, challenge))).toBe("proof_invalid");
    const { refreshToken } = other.signedIn;
    expect(await codeOf(started.engine.refreshDevice(refreshToken, { deviceId, proof: null }))).toBe(
      "proof_invalid",
    );
    expect(started.events.at(-1)).toMatchObject({ type: "refresh_refused", why: "other_session" });
    const bound = await renew(signedIn.refreshToken);
    expect(started.engine.registrationChallenge(bound.session)).toBeNull();
    for (const token of [signedIn.refreshToken, bound.refreshToken]) {
      expect(await codeOf(register(token))).toBe("proof_invalid");
    }
  });

  test.each<[string, object]>([
    ["the key in its header", { jwk: createTestKey().jwk }],
    ["another type", { typ: "dpop+jwt" }],
    ["no algorithm", { alg: "none" }],
    ["another algorithm", { alg: "EdDSA" }],
  ])("refuses a proof with %s", async (_, header) => {
    const started = await start();
    const { signedIn, renew, refresh, key } = await deviceBrowser(started);
    const bound = await renew(signedIn.refreshToken);
    const call = refresh(bound.refreshToken, bound.nextChallenge, key, header);
    expect(await codeOf(call)).toBe("proof_invalid");
    await refresh(bound.refreshToken, bound.nextChallenge);
  });

  test("a sign-out ends it for its key as well", async () => {
    const started = await start();
    const { signedIn, renew, refresh } = await deviceBrowser(started);
    const bound = await renew(signedIn.refreshToken);
    await started.engine.revokeByRefreshToken(bound.refreshToken, "logout");
    expect(await codeOf(refresh(bound.refreshToken, bound.nextChallenge))).toBe("refresh_token_revoked");
    expect(await codeOf(refresh(bound.refreshToken, null))).toBe("refresh_token_revoked");
    expect(await codeOf(started.engine.refreshJar(bound.refreshToken))).toBe("refresh_token_revoked");
  });
});

describe("a jar that was told to prove its key", () => {
  async function toldBrowser() {
    const started = await start();
    const browser = await deviceBrowser(started);
    const { refreshToken } = await browser.register(browser.signedIn.refreshToken);
    return { ...started, ...browser, told: refreshToken };
  }

  test("is refreshed without a proof for two minutes and no longer, and nothing is written", async () => {
    const { engine, store, clock, told, signedIn, events, renew } = await toldBrowser();
    clock.advance(119_000);
    const before = await store.findSession(signedIn.session.id);
    clock.advance(1_000);
    expect(await codeOf(engine.refreshJar(told, { couldNotProve: true }))).toBe("proof_missing");
    expect(events.filter(({ type }) => type === "proof_failed")).toEqual([]);
    expect(await codeOf(engine.refreshJar(told))).toBe("proof_missing");
    expect(events.filter(({ type }) => type === "proof_failed")).toHaveLength(1);
    expect(await store.findSession(signedIn.session.id)).toEqual(before);
    // However late.
    clock.advance(24 * HOUR);
    const bound = await renew(told);
    expect(bound.session).toMatchObject({ generation: 2, binding: expect.stringMatching(/^device:1:/) });
    clock.advance(HOUR);
    expect(await codeOf(engine.refreshJar(told))).toBe("refresh_token_reused");
  });

  test("registers no other key", async () => {
    const { told, register, renew } = await toldBrowser();
    expect(await codeOf(register(told))).toBe("proof_invalid");
    await renew(told);
  });

  test("holds nothing from which the token could be taken", async () => {
    const { engine, clock, told, signedIn } = await toldBrowser();
    const plain = signedIn.refreshToken;
    expect(told).toMatch(/^wsd1_[\w-]{144}$/);
    expect(
      Buffer.from(told.slice(5), "base64url").includes(
        Buffer.from(plain.slice(5), "base64url").subarray(24, 40),
      ),
    ).toBe(false);
    for (const forged of [
      `${told.slice(0, -1)}${told.endsWith("A") ? "B" : "A"}`,
      `wsd1_${plain.slice(5)}`,
      told.slice(0, 101),
    ]) {
      expect(await codeOf(engine.refreshJar(forged))).toBe("refresh_token_invalid");
    }
    expect(await codeOf(engine.refresh(told))).toBe("refresh_token_invalid");
    clock.advance(60_000);
    expect((await engine.refreshJar(told)).outcome).toBe("rotated");
  });

  test("signs out, and is found out once its token is spent", async () => {
    const { engine, clock, told, alarms } = await toldBrowser();
    await engine.refreshJar(told);
    clock.advance(10 * 60_000);
    expect(await codeOf(engine.refreshJar(told))).toBe("refresh_token_reused");
    expect(alarms()).toHaveLength(1);
    const other = await toldBrowser();
    expect(await other.engine.revokeByRefreshToken(other.told, "logout")).toBe(true);
    other.clock.advance(10 * 60_000);
    expect(await codeOf(other.engine.refreshJar(other.told))).toBe("refresh_token_revoked");
  });
});
