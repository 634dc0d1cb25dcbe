import { readChallenge } from "../../src/bindings/challenge.ts";
import { readDeviceId } from "../../src/bindings/device-id.ts";
import { ROTATION_CHALLENGE_MAX_AGE_MS } from "../../src/limits.ts";
import { readRefreshToken } from "../../src/tokens/refresh-token.ts";
import { readStrictJwt } from "../../src/tokens/strict-jwt.ts";
import * as forge from "./forge.ts";
import type { Target } from "./fuzz.ts";
import { must, onlyAuthentic, refusal, textOf } from "./oracle.ts";

const { clock, keyring, sessionId } = forge;
const at = Math.floor(clock.now() / 1000);
const CLAIMS = {
  iss: forge.ORIGIN,
  aud: forge.ORIGIN,
  sub: forge.alice.account,
  sid: sessionId,
  jti: "one",
  iat: at,
  exp: at + 900,
};
const claims = [
  CLAIMS,
  { roles: ["admin"], ...CLAIMS, aud: [forge.ORIGIN, "https://other.example"] },
  { ...CLAIMS, auth_time: at, cnf: { jkt: "A".repeat(43) } },
].map((one) => JSON.stringify(one));
const accessTokens = claims.map((one) => forge.signedByUs(forge.HEADER, one));

/** The strict reading alone, before any signature is asked. */
const strictJwt: Target = {
  name: "strict-jwt",
  seeds: accessTokens,
  words: [
    '"alg":"none"',
    '"crit":["exp"],',
    '"kid":',
    '{"',
    '":',
    '"exp":1e9',
    "..",
    "=",
    "\\u0061",
    "__proto__",
  ],
  maxBytes: 4_200,
  run(input) {
    const text = textOf(input);
    const jwt = readStrictJwt(text);
    if (jwt === null) return "none";
    const { kid, claims, signedText, signature } = jwt;
    const [header = "", payload = ""] = signedText.split(".");
    const decoded = Buffer.from(payload, "base64url").toString();
    const { own, ...known } = claims;
    const merged = { ...JSON.parse(decoded), ...known, ...own };
    const parts = [forge.headerOf(kid), JSON.stringify(merged)];
    const rewritten = [...parts.map((part) => Buffer.from(part)), signature].map((part) =>
      Buffer.from(part).toString("base64url"),
    );
    must(rewritten.join(".") === text && header !== "", "take only what it would write itself");
    must(Number.isSafeInteger(claims.exp) && claims.sub !== "", "take claims of their types alone");
    return `read with ${Object.keys(claims).length}`;
  },
};

const accessToken: Target = {
  name: "access-token",
  seeds: accessTokens,
  words: ["wsr1_", ".", "=", "-", "_", "A", "eyJ"],
  maxBytes: 4_200,
  async run(input) {
    const text = textOf(input);
    try {
      await forge.accessTokens.verify(text);
    } catch (error) {
      return refusal(error, "access_token_invalid");
    }
    must(accessTokens.includes(text), "take a token in the one spelling that was signed");
    return "verified";
  },
};

/** Header and claims on two lines, which our own key has signed: what is refused is refused for its form. */
const signedAccessToken: Target = {
  name: "signed-access-token",
  seeds: claims.map((one) => `${forge.HEADER}\n${one}`),
  words: [
    '"',
    "{",
    "}",
    '"exp":',
    "1e9",
    "-0",
    '"sub":"x",',
    "\\u0061",
    '"__proto__":',
    "[]",
    "null",
    "\xc0\x80",
    "\xed\xa0\x80",
  ],
  maxBytes: 3_000,
  async run(input) {
    const [header = "", ...rest] = textOf(input).split("\n");
    const body = rest.join("\n");
    try {
      const { aud, iss, exp } = await forge.accessTokens.verify(forge.signedByUs(header, body));
      must(header === forge.HEADER, "take the exact header");
      const bytes = Buffer.from(body, "latin1");
      must(bytes.equals(Buffer.from(JSON.stringify(JSON.parse(bytes.toString())))), "take canonical claims");
      must(iss === forge.ORIGIN && [aud].flat().every((one) => /^https:/.test(one)), "be for us");
      must(exp > at, "be young");
      return "verified";
    } catch (error) {
      return refusal(error, "access_token_invalid", "access_token_expired");
    }
  },
};

const refreshToken: Target = {
  name: "refresh-token",
  seeds: forge.refreshTokens,
  words: ["wsr1_", "wsd1_", "wsr2_", "=", "+", "/", "A", "\n"],
  maxBytes: 400,
  run: onlyAuthentic((text) => readRefreshToken(keyring, text), forge.refreshTokens),
};

const challenge: Target = {
  name: "challenge",
  seeds: Object.values(forge.challenges),
  words: ["=", "+", "/", "A", "-", "_", "\n"],
  maxBytes: 200,
  run: onlyAuthentic(
    (text) =>
      readChallenge(
        keyring,
        text,
        { use: "rotation", sessionId },
        clock.now(),
        ROTATION_CHALLENGE_MAX_AGE_MS,
      ),
    [forge.challenges.rotation],
  ),
};

const deviceId: Target = {
  name: "device-id",
  seeds: [forge.deviceId],
  words: ["=", "+", "/", "A", "-", "_", "\n"],
  maxBytes: 200,
  run: onlyAuthentic((text) => readDeviceId(keyring, text), [forge.deviceId]),
};

export const TOKEN_TARGETS = [strictJwt, accessToken, signedAccessToken, refreshToken, challenge, deviceId];
