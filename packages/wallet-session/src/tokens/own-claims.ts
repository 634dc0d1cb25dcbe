import { OWN_CLAIMS_MAX_BYTES } from "../limits.ts";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** What an app puts into access tokens beside the claims of this package, by name. */
export type OwnClaims = { readonly [name: string]: JsonValue };

/** Of JWT, of OAuth and of this package: what verifiers act upon. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    "iss sub aud exp nbf iat jti sid cnf scope client_id act may_act auth_time acr amr azp nonce at_hash c_hash " +
    "events toe txn vot vtm sub_jwk _claim_names _claim_sources __proto__"
  ).split(" "),
);

/**
 * Frozen, as they stand in tokens that are shared by all requests.
 * @throws Error for a reserved name, for what JSON cannot say, and for more than 1 KiB of JSON
 */
export function checkedClaims(claims: OwnClaims): OwnClaims {
  const text = JSON.stringify(claims);
  if (typeof claims !== "object" || Array.isArray(claims) || !isJson(claims)) {
    throw new Error(
      "claims: an object of JSON values is wanted, without undefined, dates or class instances",
    );
  }
  const reserved = Object.keys(claims).find((name) => RESERVED.has(name));
  if (reserved !== undefined) throw new Error(`claims: the name ${reserved} is reserved`);
  const bytes = Buffer.byteLength(text);
  if (bytes > OWN_CLAIMS_MAX_BYTES) {
    throw new Error(`claims: ${bytes} bytes of JSON are more than ${OWN_CLAIMS_MAX_BYTES}`);
  }
  return frozen(JSON.parse(text));
}

/** Whether the value says the same after a way through JSON. */
function isJson(value: unknown): value is JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || "toJSON" in value) return false;
  // Of another realm too, such as that of a test runner.
  const isPlain = Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
  return isPlain && Object.values(value).every(isJson);
}

/** The same value, which nobody can change any more. */
export function frozen<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
