import { createHmac, type KeyObject, sign } from "node:crypto";

interface Forging {
  /** An access token as the server issued it. */
  readonly good: string;
  /** The server's own key: all but the signature is what has to give the token away. */
  readonly signer: { readonly kid: string; readonly key: KeyObject };
  /** What the JWKS publishes of that key. */
  readonly publicKey: string;
  readonly refreshToken: string;
}

/** With the code that it is refused for, where that is not `access_token_invalid`. */
type Forged = [name: string, token: string, code?: string];

const encode = (text: string) => Buffer.from(text).toString("base64url");

/** Access tokens that are almost the good one, each with one thing wrong. */
export function forgedAccessTokens(forging: Forging): Forged[] {
  const { good, signer, refreshToken } = forging;
  const [header = "", payload = "", signature = ""] = good.split(".");
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, "base64url").toString());
  const right = { alg: "EdDSA", typ: "at+jwt", kid: signer.kid };
  const resigned = wronglySigned(right, claims).map(([name, head, body, code]): Forged => {
    const token = signed(signer.key, head, body);
    return code === undefined ? [name, token] : [name, token, code];
  });
  return [
    ...resigned,
    ...wrongHeads(forging, right, payload, signature),
    ["one segment", header],
    ["two segments", `${header}.${payload}`],
    ["four segments", `${good}.AAAA`],
    ["five segments", `${good}.AAAA.AAAA`],
    ["padding", `${good}==`],
    ["altered trailing bits", alteredTrailingBits(good)],
    ["a signature of zeros", `${header}.${payload}.${"A".repeat(86)}`],
    [
      "claims that were not signed",
      `${header}.${encode(JSON.stringify({ ...claims, sub: "x" }))}.${signature}`,
    ],
    ["a refresh token", refreshToken],
    ["garbage", "garbage"],
  ];
}

type WronglySigned = [name: string, head: object, body: object | string, code?: string];

/** What the server's own key has signed and is wrong even so. */
function wronglySigned(right: object, claims: Record<string, unknown>): WronglySigned[] {
  const now = Math.floor(Date.now() / 1_000);
  const text = JSON.stringify(claims);
  const { exp: _, ...endless } = claims;
  const head = (name: string, change: object): WronglySigned => [name, { ...right, ...change }, claims];
  const body = (name: string, change: object, code?: string): WronglySigned =>
    code === undefined
      ? [name, right, { ...claims, ...change }]
      : [name, right, { ...claims, ...change }, code];
  return [
    head("jku", { jku: "https://evil.example/jwks.json" }),
    head("x5u", { x5u: "https://evil.example/x5u" }),
    head("jwk", { jwk: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } }),
    head("crit", { crit: ["exp"], exp: 1 }),
    head("typ JWT", { typ: "JWT" }),
    head("no typ", { typ: undefined }),
    head("alg Ed25519", { alg: "Ed25519" }),
    body("another aud", { aud: "https://other.example" }),
    body("aud with extras", { aud: [claims.aud, "https://other.example"] }),
    body("another iss", { iss: "https://other.example" }),
    ["no exp", right, endless],
    body("exp as a string", { exp: String(now + 600) }),
    body("exp as a fraction", { exp: now + 600.5 }),
    ["exp of 1e308", right, text.replace(/"exp":\d+/, '"exp":1e308')],
    body("exp below 0", { exp: -1 }),
    body("exp in the past", { iat: now - 1_000, exp: now - 100 }, "access_token_expired"),
    body("iat in the future", { iat: now + 60 }),
    ["duplicate claims", right, text.replace("{", '{"sub":"x",')],
    ["a space in its claims", right, text.replace("{", "{ ")],
  ];
}

function signed(key: KeyObject, ...parts: (object | string)[]): string {
  const input = parts.map((part) => encode(typeof part === "string" ? part : JSON.stringify(part))).join(".");
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}

/** Other algorithms and key ids over the good claims; a header that is not signed is all that these need. */
function wrongHeads({ publicKey }: Forging, right: object, payload: string, signature: string): Forged[] {
  const head = (change: object) => encode(JSON.stringify({ ...right, ...change }));
  const hs256 = `${head({ alg: "HS256" })}.${payload}`;
  const macs = [Buffer.from(publicKey), Buffer.from(publicKey, "base64url")].map((key) =>
    createHmac("sha256", key).update(hs256).digest("base64url"),
  );
  return [
    ...macs.map((mac): Forged => ["HS256 with the public key", `${hs256}.${mac}`]),
    ...["none", "None", "NONE", "nOnE"].flatMap((alg): Forged[] => [
      [`alg ${alg}`, `${head({ alg })}.${payload}.`],
      [`alg ${alg} with a signature`, `${head({ alg })}.${payload}.${signature}`],
    ]),
    ...["ES256", "RS256", "HS256"].map(
      (alg): Forged => [`alg ${alg}`, `${head({ alg })}.${payload}.${signature}`],
    ),
    ...["../../etc/passwd", "' OR 1=1 --", "a\u0000b", ["x"], 7].map(
      (kid): Forged => [`kid ${JSON.stringify(kid)}`, `${head({ kid })}.${payload}.${signature}`],
    ),
  ];
}

/** The last character carries two bits of the signature, and four that mean nothing. */
function alteredTrailingBits(token: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) ^ 1];
}
