// Keys that prove possession, as their holders make them: DPoP clients (RFC 9449) and browsers with device keys (DBSC).
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";

export interface TestKey {
  readonly algorithm: "ES256" | "EdDSA";
  readonly jwk: Record<string, unknown>;
  readonly thumbprint: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export function createTestKey(algorithm: "ES256" | "EdDSA" = "ES256"): TestKey {
  const { publicKey, privateKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("ed25519");
  const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
  const jwk = y === undefined ? { crv, kty, x } : { crv, kty, x, y };
  const thumbprint = createHash("sha256").update(JSON.stringify(jwk)).digest("base64url");
  return { algorithm, jwk, thumbprint, publicKey, privateKey };
}

/** A signed JWT of whatever is in it. */
function signJwt(key: TestKey, header: object, claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${encode({ alg: key.algorithm, ...header })}.${encode(claims)}`;
  const signature =
    key.algorithm === "ES256"
      ? sign("sha256", Buffer.from(text), { key: key.privateKey, dsaEncoding: "ieee-p1363" })
      : sign(null, Buffer.from(text), key.privateKey);
  return `${text}.${signature.toString("base64url")}`;
}

export interface DpopClaims {
  readonly htm?: unknown;
  readonly htu?: unknown;
  readonly iat?: unknown;
  readonly jti?: unknown;
  readonly nonce?: unknown;
  readonly ath?: unknown;
}

/** A DPoP proof. `claims` overrides what a good one has. */
export function dpopProof(key: TestKey, claims: DpopClaims, header: object = {}): string {
  return signJwt(
    key,
    { typ: "dpop+jwt", jwk: key.jwk, ...header },
    { jti: randomUUID(), htm: "POST", iat: Math.floor(Date.now() / 1000), ...claims },
  );
}

/** `ath` of an access token. */
export function hashOf(accessToken: string): string {
  return createHash("sha256").update(accessToken).digest("base64url");
}

/** What a browser sends to register its key. */
export function registrationProof(key: TestKey, challenge: string, header: object = {}): string {
  return signJwt(key, { typ: "dbsc+jwt", jwk: key.jwk, ...header }, { jti: challenge });
}

/** What it sends at a refresh: without the key. */
export function deviceProof(key: TestKey, challenge: string, header: object = {}): string {
  return signJwt(key, { typ: "dbsc+jwt", ...header }, { jti: challenge });
}
