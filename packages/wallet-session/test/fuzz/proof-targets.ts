import { readDpopProof } from "../../src/bindings/dpop-proof.ts";
import { readProofJwt } from "../../src/bindings/proof-jwt.ts";
import { createJwkReader } from "../../src/bindings/public-key.ts";
import { createProofs } from "../../src/engine/proofs.ts";
import * as forge from "./forge.ts";
import type { Target } from "./fuzz.ts";
import { must, refusal, textOf } from "./oracle.ts";

const URL_OF_REFRESH = `${forge.ORIGIN}/api/auth/refresh`;
const dpopHeader = JSON.stringify({ alg: "ES256", typ: "dpop+jwt", jwk: forge.proofJwk });
const dpopClaims = JSON.stringify({
  jti: "one",
  htm: "POST",
  htu: URL_OF_REFRESH,
  iat: Math.floor(forge.clock.now() / 1000),
  nonce: forge.challenges.rotation,
});
const WORDS = [
  '"alg":"EdDSA"',
  '"alg":"none"',
  '"crit":["exp"],',
  '"jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
  '"d":"x",',
  '"typ":"dbsc+jwt"',
  '"jti":["one"]',
  '"htu":"',
  "/../",
  "%2f",
  "%61",
  "@",
  ":443",
  "#",
  "?",
  "null",
  "1e400",
  "\\ud800",
  "__proto__",
  "\xff",
];

const proofJwt: Target = {
  name: "proof-jwt",
  seeds: [forge.proofOf(dpopHeader, dpopClaims)],
  words: WORDS,
  maxBytes: 4_200,
  run(input) {
    const jwt = readProofJwt(textOf(input), "dpop+jwt");
    if (jwt === null) return "none";
    const key = createJwkReader()(jwt.jwk, jwt.algorithm);
    return key === null ? `${jwt.algorithm} without a key` : `signed: ${jwt.isSignedBy(key.key)}`;
  },
};

const readJwk = createJwkReader();

/** Header and claims on two lines, signed by the key that the seed names: past the signature all depends on what they say. */
const dpopProof: Target = {
  name: "dpop-proof",
  seeds: [`${dpopHeader}\n${dpopClaims}`],
  words: WORDS,
  maxBytes: 2_800,
  run(input) {
    const [header = "", ...rest] = textOf(input).split("\n");
    const proof = forge.proofOf(header, rest.join("\n"));
    const read = readDpopProof(readJwk, { proof, method: "POST", urls: [URL_OF_REFRESH] }, null);
    if (read === null) return "none";
    const claims = JSON.parse(Buffer.from(rest.join("\n"), "latin1").toString());
    must(claims.htm === "POST", "be for the method");
    const { origin, pathname } = new URL(claims.htu);
    must(decodeURIComponent(origin + pathname) === URL_OF_REFRESH, "be for the address");
    must(Number.isFinite(read.issuedAt) && /^[\w-]{43}$/.test(read.id), "have a time and an id");
    return `verified with ${Object.keys(claims).length} claims`;
  },
};

const proofs = createProofs({
  store: { consumeChallenge: async () => true },
  keyring: forge.keyring,
  clock: forge.clock,
  random: (size) => new Uint8Array(size),
});
const deviceHeader = (more: object) => JSON.stringify({ alg: "ES256", typ: "dbsc+jwt", ...more });

/** The same of a browser that registers its key. */
const deviceRegistration: Target = {
  name: "device-registration",
  seeds: [
    `${deviceHeader({ jwk: forge.proofJwk })}\n${JSON.stringify({ jti: forge.challenges.registration })}`,
    `${deviceHeader({ jwk: forge.proofJwk })}\n${JSON.stringify({ jti: forge.challenges.rotation })}`,
  ],
  words: WORDS,
  maxBytes: 2_800,
  run(input) {
    const [header = "", ...rest] = textOf(input).split("\n");
    try {
      proofs.deviceIdOf(forge.proofOf(header, rest.join("\n")), forge.sessionId, 3);
    } catch (error) {
      return refusal(error, "proof_invalid");
    }
    const { jti } = JSON.parse(Buffer.from(rest.join("\n"), "latin1").toString());
    must(jti === forge.challenges.registration, "be over the challenge of the registration");
    return "registered";
  },
};

/** And of one that proves it. The name of the key comes on a third line. */
const deviceRefresh: Target = {
  name: "device-refresh",
  seeds: [
    `${forge.deviceId}\n${deviceHeader({})}\n${JSON.stringify({ jti: forge.challenges.rotation })}`,
    `${forge.deviceId}\n${deviceHeader({})}\n${JSON.stringify({ jti: forge.challenges.registration })}`,
  ],
  words: WORDS,
  maxBytes: 2_800,
  run(input) {
    const [id = "", header = "", ...rest] = textOf(input).split("\n");
    try {
      const text = forge.proofOf(header, rest.join("\n"));
      const { over } = proofs.ofDevice(id, text, forge.sessionId);
      must(id === forge.deviceId, "know the name that it gave");
      if (over === null) return "signed over nothing";
    } catch (error) {
      return refusal(error, "proof_invalid");
    }
    const { jti } = JSON.parse(Buffer.from(rest.join("\n"), "latin1").toString());
    must(jti === forge.challenges.rotation, "be over the challenge of the rotation");
    return "proved";
  },
};

export const PROOF_TARGETS = [proofJwt, dpopProof, deviceRegistration, deviceRefresh];
