/* The values that go into the endpoints of this package, and come out of them, with their examples. */
import type { ErrorCode } from "../error-codes.ts";
import { choice, integer, list, nullable, object, ref, type Schemas, text, time } from "./schema.ts";

export const ACCOUNT = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
const SESSION_ID = text("3vQ0m1Yc8t2Gk5sXjar1QQ", { pattern: "^[A-Za-z0-9_-]{21}[AQgw]$" });
const ACCESS_TOKEN = text("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJHQlJQIn0.c2lnbmF0dXJl", {
  description: "A JWT.",
});
export const REFRESH_TOKEN = text(`wsr1_${"Ab3_".repeat(24)}`, { pattern: "^wsr1_[A-Za-z0-9_-]{96}$" });
const DEVICE_ID = text(`${"Ab3_".repeat(24)}Ab`, { pattern: "^[A-Za-z0-9_-]{98}$" });
const SIGNED_IN_AT = "2026-11-23T16:00:00.000Z";
const LAST_ACTIVE_AT = "2026-11-23T17:12:00.000Z";

const COOKIE_TOKENS = {
  token_type: { const: "Bearer" },
  expires_in: integer(900, { description: "Seconds until the access token ends." }),
  refresh_expires_in: integer(604_800, {
    description: "Seconds until the session ends unless it is refreshed.",
  }),
  session_id: SESSION_ID,
} satisfies Schemas;
const ACCESS_TYPE = choice(["Bearer", "DPoP"], {
  description: "`DPoP`: requests with the token need a proof of its key.",
});
const TOKENS = {
  access_token: ACCESS_TOKEN,
  ...COOKIE_TOKENS,
  token_type: ACCESS_TYPE,
  refresh_token: REFRESH_TOKEN,
} satisfies Schemas;
const TRANSPORT = choice(["body", "cookie"]);
const SESSION_MEMBERS = {
  transport: TRANSPORT,
  binding: nullable({
    ...choice(["device", "dpop"]),
    description: "The kind of key that the session is bound to.",
  }),
  generation: integer(4, { minimum: 1, description: "Rises by one with each refresh." }),
  idle_expires_at: time("2026-11-30T17:12:00.000Z", "Unless the session is refreshed before."),
  created_at: time(SIGNED_IN_AT),
  last_active_at: time(LAST_ACTIVE_AT, "The last refresh."),
} satisfies Schemas;

const LIFETIMES = {
  refresh_token_timeout: integer(604_800, {
    description: "Seconds within which the refresh token is to be used.",
  }),
  authorization_expires_in: integer(2_592_000, {
    description: "Seconds until the session ends, whatever happens.",
  }),
} satisfies Schemas;
const SECONDS_SINCE_1970 = integer(1_795_449_600, { description: "In seconds since 1970." });
const ACTIVE = {
  active: { const: true },
  iss: text("https://pay.example.com"),
  sub: text(ACCOUNT),
  sid: SESSION_ID,
  session_id: SESSION_ID,
  iat: SECONDS_SINCE_1970,
  exp: SECONDS_SINCE_1970,
} satisfies Schemas;
const BOUND = {
  cnf: { ...object({ jkt: text("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I") }), description: "Its key." },
} satisfies Schemas;

export const SCHEMAS: Schemas = {
  Tokens: object(TOKENS),
  OAuthTokens: object({ ...TOKENS, ...LIFETIMES }),
  ActiveAccessToken: {
    ...object(
      {
        ...ACTIVE,
        aud: { type: ["string", "array"], examples: ["https://pay.example.com"] },
        jti: text("Ab3_Ab3_Ab3_Ab3_Ab3_Ag"),
        token_type: ACCESS_TYPE,
      },
      BOUND,
    ),
    additionalProperties: true,
    description: "With the app's own claims.",
  },
  ActiveRefreshToken: object(
    { ...ACTIVE, aud: text("https://pay.example.com"), token_type: { const: "refresh_token" }, ...LIFETIMES },
    BOUND,
  ),
  SignInTokens: object({
    token: text("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJHQlJQIn0.c2lnbmF0dXJl", {
      description: "SEP-10's name of `access_token`.",
    }),
    ...TOKENS,
  }),
  CookieTokens: { ...object(COOKIE_TOKENS), description: "The tokens themselves are in cookies." },
  Session: object({
    actor_id: text(ACCOUNT),
    session_id: SESSION_ID,
    ...SESSION_MEMBERS,
    expires_in: integer(812, { description: "Seconds until the access token ends." }),
    session_expires_at: time("2026-12-23T16:00:00.000Z", "Whatever happens."),
  }),
  ListedSession: object({
    id: SESSION_ID,
    current: { type: "boolean", examples: [true], description: "The one that asks." },
    ...SESSION_MEMBERS,
    expires_at: time("2026-12-23T16:00:00.000Z", "Whatever happens."),
    proof_failed_at: nullable(time(LAST_ACTIVE_AT, "When its tokens came last without its key.")),
    client: ref("Client"),
  }),
  Client: object({
    browser: nullable(text("Firefox 140")),
    os: nullable(text("Linux")),
    device: nullable(text("desktop")),
    ip: nullable(text("203.0.113.0", { description: "Truncated to its network: /24, or /48 of IPv6." })),
  }),
  DeviceSession: {
    ...object({
      session_identifier: DEVICE_ID,
      refresh_url: text("/api/auth/device/refresh"),
      scope: object({
        include_site: { const: false },
        scope_specification: list(
          object({
            type: { const: "exclude" },
            domain: { const: "*" },
            path: text("/api/auth/wallet", { description: "Held for no proof." }),
          }),
        ),
      }),
      credentials: list(
        object({
          type: { const: "cookie" },
          name: text("__Host-ws_access"),
          attributes: text("Path=/; HttpOnly; Secure; SameSite=Lax"),
        }),
      ),
    }),
    description: "The session instructions of DBSC.",
  },
  Keys: object({
    keys: list(
      object({
        kty: text("OKP"),
        crv: text("Ed25519"),
        x: text("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        kid: text("nWGxne_9WmC6hEr0"),
        use: { const: "sig" },
        alg: text("EdDSA"),
      }),
    ),
  }),
  Alarm: object({
    session_id: SESSION_ID,
    at: time(LAST_ACTIVE_AT),
    client: { ...ref("Client"), description: "The device that signed in." },
  }),
};

export const RETRY_KEY_HEADER: Schemas = {
  "Idempotency-Key": text("2a9c1c5e-6f0e-4f7b-9d0a-0d6a5b1c7e11", {
    minLength: 16,
    maxLength: 258,
    description: "16 to 128 visible ASCII characters, bare or as a quoted string. A retry keeps it.",
  }),
};
export const DEVICE_PROOF_HEADER: Schemas = {
  "Secure-Session-Response": text("eyJ0eXAiOiJkYnNjK2p3dCJ9.eyJqdGkiOiJBYkNfIn0.c2lnbmF0dXJl", {
    description: "The proof, bare or as a quoted string.",
  }),
};
export const DEVICE_ID_HEADER: Schemas = {
  "Sec-Secure-Session-Id": {
    ...DEVICE_ID,
    description: "The key's `session_identifier`, bare or as a quoted string.",
  },
};
export const TRANSPORT_HEADER: Schemas = {
  "Session-Transport": { ...TRANSPORT, default: "body", description: "Where the tokens go." },
};
/** One after the other, as they come over the wire. */
export const SESSION_EVENTS = [
  ["expiring", '{"expires_in":60}'],
  ["renewed", '{"expires_in":900}'],
  ["ended", '{"code":"session_revoked"}'],
]
  .map(([event, data]) => `event: session.${event}\ndata: ${data}\n\n`)
  .join("");
/** What the ways to sign in take and give, by name. One that is not known here is a text. */
export const WALLET_TEXTS: Schemas = {
  account: text(ACCOUNT, { description: "`G…` or `M…`." }),
  memo: text("7", { description: "Of type id: a decimal from 0 to 2^64 - 1. Not with `M…`." }),
  home_domain: text("pay.example.com", { description: "Must be the served one." }),
  client_domain: text("wallet.example.com", {
    description: "A domain whose stellar.toml has a `SIGNING_KEY`, which must sign too.",
  }),
  action: text("n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg", {
    description: "For a step-up: the `action` of the refusal.",
  }),
  transaction: text("AAAAAgAAAAA=", {
    description: "The signed transaction: XDR in base64, of either alphabet.",
  }),
};
export const CHALLENGES: Schemas = {
  transaction: object({
    transaction: text("AAAAAgAAAAA=", { description: "To be signed: XDR in base64." }),
    network_passphrase: text("Test SDF Network ; September 2015"),
  }),
};
/** The codes of whatever renews a session. */
export const REFRESH_REFUSALS = [
  "refresh_token_invalid",
  "refresh_token_expired",
  "refresh_token_revoked",
  "refresh_token_reused",
  "rate_limited",
  "store_unavailable",
] as const satisfies readonly ErrorCode[];
