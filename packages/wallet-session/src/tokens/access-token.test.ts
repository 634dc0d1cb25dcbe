import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign as signBytes,
} from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { codeOf, ISSUER, SECRET, startEngine } from "../engine/engine.fixture.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { createAccessTokens } from "./access-token.ts";
import { createKeyring } from "./secrets.ts";

const clock = createManualClock();
const store = createMemoryStore();
const { engine, signIn } = await startEngine(store, { clock });
const { accessToken, session, refreshToken } = await signIn();
const [header = "", payload = "", signature = ""] = accessToken.split(".");
const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
const { kid } = JSON.parse(Buffer.from(header, "base64url").toString());
const nowSeconds = Math.floor(clock.now() / 1000);

const encode = (value: unknown) => {
  const isRaw = typeof value === "string" || value instanceof Uint8Array;
  return Buffer.from(isRaw ? value : JSON.stringify(value)).toString("base64url");
};
const GOOD_HEADER = { alg: "EdDSA", typ: "at+jwt", kid };

/** A token signed with the very key of the engine: what is refused here is refused for its form, not its signature. */
async function signed(head: unknown, body: unknown): Promise<string> {
  const input = `${encode(head)}.${encode(body)}`;
  return `${input}.${signBytes(null, Buffer.from(input), await engineKey()).toString("base64url")}`;
}

async function engineKey() {
  const [stored] = await store.signingKeys();
  if (stored === undefined) throw new Error("no key");
  const sealed = Buffer.from(stored.sealed);
  const opener = createDecipheriv(
    "aes-256-gcm",
    createKeyring([SECRET]).signing.seal,
    sealed.subarray(4, 16),
  );
  opener.setAAD(Buffer.from(stored.kid)).setAuthTag(sealed.subarray(-16));
  const seed = Buffer.concat([opener.update(sealed.subarray(16, -16)), opener.final()]);
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
}

test("anyone verifies a token with the published keys", async () => {
  const jwks = createLocalJWKSet((await engine.getJwks()) as Parameters<typeof createLocalJWKSet>[0]);
  const verified = await jwtVerify(accessToken, jwks, {
    issuer: ISSUER,
    audience: ISSUER,
    typ: "at+jwt",
    currentDate: new Date(clock.now()),
  });
  expect(verified.payload).toEqual({
    iss: ISSUER,
    aud: ISSUER,
    sub: session.actorId,
    sid: session.id,
    jti: expect.stringMatching(/^[\w-]{22}$/),
    iat: nowSeconds,
    auth_time: nowSeconds,
    exp: nowSeconds + 900,
  });
});

test("the published keys hold nothing private", async () => {
  for (const key of (await engine.getJwks()).keys) {
    expect(Object.keys(key).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
  }
});

test("a token signed as ours is accepted, so that what follows is refused for what it changes", async () => {
  expect((await engine.authenticate(await signed(GOOD_HEADER, claims))).sessionId).toBe(session.id);
});

describe("headers that are refused though the signature is good", () => {
  test.each([
    ["alg none", { ...GOOD_HEADER, alg: "none" }],
    ["alg NONE", { ...GOOD_HEADER, alg: "NONE" }],
    ["alg nOnE", { ...GOOD_HEADER, alg: "nOnE" }],
    ["alg HS256", { ...GOOD_HEADER, alg: "HS256" }],
    ["alg RS256", { ...GOOD_HEADER, alg: "RS256" }],
    ["alg ES256", { ...GOOD_HEADER, alg: "ES256" }],
    ["alg as an array", { ...GOOD_HEADER, alg: ["EdDSA"] }],
    ["no alg", { typ: "at+jwt", kid }],
    ["typ JWT", { ...GOOD_HEADER, typ: "JWT" }],
    ["typ application/at+jwt", { ...GOOD_HEADER, typ: "application/at+jwt" }],
    ["no typ", { alg: "EdDSA", kid }],
    ["no kid", { alg: "EdDSA", typ: "at+jwt" }],
    ["a kid with a path", { ...GOOD_HEADER, kid: "../../etc/passwd" }],
    ["a kid with SQL", { ...GOOD_HEADER, kid: "' OR 1=1 --" }],
    ["a kid with NUL", { ...GOOD_HEADER, kid: `${kid}\0` }],
    ["a kid as an array", { ...GOOD_HEADER, kid: [kid] }],
    ["an unknown kid", { ...GOOD_HEADER, kid: "unknown" }],
    ["jku", { ...GOOD_HEADER, jku: "https://evil.example/jwks.json" }],
    ["x5u", { ...GOOD_HEADER, x5u: "https://evil.example/cert" }],
    ["jwk", { ...GOOD_HEADER, jwk: { kty: "OKP", crv: "Ed25519", x: "AA" } }],
    ["crit", { ...GOOD_HEADER, crit: ["exp"] }],
    ["an empty crit", { ...GOOD_HEADER, crit: [] }],
    ["b64 false", { ...GOOD_HEADER, b64: false, crit: ["b64"] }],
    ["a doubled name", `{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"${kid}"}`],
    ["a space", `{"alg": "EdDSA","typ":"at+jwt","kid":"${kid}"}`],
    ["another order", { kid, typ: "at+jwt", alg: "EdDSA" }],
    ["an array", [GOOD_HEADER]],
    ["no JSON", "EdDSA"],
  ])("%s", async (_, head) => {
    expect(await codeOf(engine.authenticate(await signed(head, claims)))).toBe("access_token_invalid");
  });
});

test("a token from before sign-in times were written opens, and says none", async () => {
  const { auth_time: _, ...older } = claims;
  expect(await engine.authenticate(await signed(GOOD_HEADER, older))).toMatchObject({
    sessionId: session.id,
    authenticatedAt: null,
  });
});

describe("claims that are refused though the signature is good", () => {
  test.each([
    ["aud as an array", { ...claims, aud: [ISSUER] }],
    ["aud with extras", { ...claims, aud: [ISSUER, "https://other.example"] }],
    ["aud as an empty array", { ...claims, aud: [] }],
    ["aud as an array with no text", { ...claims, aud: [ISSUER, 1] }],
    ["several aud of others", { ...claims, aud: ["https://other.example", "https://third.example"] }],
    ["another aud", { ...claims, aud: "https://other.example" }],
    ["another iss", { ...claims, iss: "https://other.example" }],
    ["iss with a slash", { ...claims, iss: `${ISSUER}/` }],
    ["exp missing", { ...claims, exp: undefined }],
    ["exp as a string", { ...claims, exp: String(claims.exp) }],
    ["exp as a float", { ...claims, exp: claims.exp + 0.5 }],
    ["exp 1e308", `${JSON.stringify(claims).replace(String(claims.exp), "1e308")}`],
    ["exp 1e308 as written by JavaScript", { ...claims, exp: 1e308 }],
    ["exp negative", { ...claims, exp: -1 }],
    ["exp null", { ...claims, exp: null }],
    ["iat in the future", { ...claims, iat: nowSeconds + 60 }],
    ["iat missing", { ...claims, iat: undefined }],
    ["sub missing", { ...claims, sub: undefined }],
    ["sub empty", { ...claims, sub: "" }],
    ["sub as an object", { ...claims, sub: {} }],
    ["sid missing", { ...claims, sid: undefined }],
    ["jti missing", { ...claims, jti: undefined }],
    ["a claim twice", JSON.stringify(claims).replace("{", `{"sub":"GEVIL",`)],
    ["spaces", JSON.stringify(claims, null, 1)],
    ["no UTF-8", Buffer.from(JSON.stringify({ ...claims, name: "é" }), "latin1")],
    ["escaped letters", JSON.stringify(claims).replace('"sub"', '"\\u0073ub"')],
    ["null", "null"],
    ["an array", [claims]],
    ["a string", '"claims"'],
    ["no JSON", "{"],
    ["empty", ""],
  ])("%s", async (_, body) => {
    expect(await codeOf(engine.authenticate(await signed(GOOD_HEADER, body)))).toBe("access_token_invalid");
  });

  test("expired, at the very second", async () => {
    const token = await signed(GOOD_HEADER, { ...claims, exp: nowSeconds });
    expect(await codeOf(engine.authenticate(token))).toBe("access_token_expired");
  });
});

describe("other spellings of a good token", () => {
  const spare = signature.slice(0, -1) + String.fromCharCode((signature.at(-1) ?? "A").charCodeAt(0) + 1);
  test.each([
    ["padding", `${accessToken}=`],
    ["double padding", `${accessToken}==`],
    ["padding in the header", `${header}=.${payload}.${signature}`],
    ["a space behind", `${accessToken} `],
    ["a space before", ` ${accessToken}`],
    ["a newline", `${accessToken}\n`],
    ["altered trailing bits", `${header}.${payload}.${spare}`],
    ["the standard alphabet", `${header}.${payload}.${signature.replaceAll("-", "+").replaceAll("_", "/")}/`],
    ["two segments", `${header}.${payload}`],
    ["an empty signature", `${header}.${payload}.`],
    ["four segments", `${accessToken}.${signature}`],
    ["five segments", `${header}..${payload}.${signature}.${signature}`],
    ["a header of 64 KB", `${"A".repeat(65_536)}.${payload}.${signature}`],
    ["a refresh token in its place", refreshToken],
    ["empty", ""],
  ])("%s", async (_, token) => {
    expect(await codeOf(engine.authenticate(token))).toBe("access_token_invalid");
    // The good one is remembered by now; its other spellings still are not it.
    expect((await engine.authenticate(accessToken)).sessionId).toBe(session.id);
  });
});

describe("signatures that are not ours", () => {
  const input = `${header}.${payload}`;
  test("each bit of the signature counts", async () => {
    const bytes = Buffer.from(signature, "base64url");
    for (let at = 0; at < 64; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      const token = `${input}.${flipped.toString("base64url")}`;
      expect(await codeOf(engine.authenticate(token)), `byte ${at}`).toBe("access_token_invalid");
    }
  });

  test("another key under our key id, HS256 with our public key, zeros", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const [jwk] = (await engine.getJwks()).keys;
    const hmac = createHmac("sha512", Buffer.from(jwk?.x ?? "", "base64url"))
      .update(input)
      .digest();
    for (const bytes of [
      signBytes(null, Buffer.from(input), privateKey),
      hmac,
      Buffer.alloc(64),
      randomBytes(64),
    ]) {
      expect(await codeOf(engine.authenticate(`${input}.${bytes.toString("base64url")}`))).toBe(
        "access_token_invalid",
      );
    }
  });
});

test("a token expires here although it is remembered", async () => {
  const own = createManualClock();
  const other = await startEngine(createMemoryStore(), { clock: own });
  const tokens = await other.signIn();
  expect((await other.engine.authenticate(tokens.accessToken)).accessExpiresAt).toBe(
    Math.floor(own.now() / 1000) * 1000 + 900_000,
  );
  own.advance(900_000);
  expect(await codeOf(other.engine.authenticate(tokens.accessToken))).toBe("access_token_expired");
});

test("more tokens than are remembered still verify", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const tokens = createAccessTokens({
    keys: { signer: async () => ({ kid: "k", key: privateKey }), verifier: async () => publicKey },
    issuer: ISSUER,
    audience: ISSUER,
    ttlMs: 60_000,
    clock,
    random: randomBytes,
    remembered: 2,
  });
  const made = [];
  for (let n = 0; n < 5; n += 1) made.push((await tokens.sign(session, {})).token);
  for (const token of [...made, ...made]) expect((await tokens.verify(token)).sid).toBe(session.id);
});
