// Better Auth on SQLite, as its documents set it up: its own sessions, which are kept in a cookie and do not rotate, and its
// OAuth provider plugin. REUSE_INTERVAL is refreshTokenReuseInterval, whose default is 0; SESSION_TTL is for the sessions. Seconds.
import { DatabaseSync } from "node:sqlite";
import { oauthProvider } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import { path, serve, url } from "./serve.mjs";

const database = new DatabaseSync(path("better-auth.db"));
database.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");
const redirectUri = "https://app.example.com/callback";

const options = {
  baseURL: url,
  secret: "a secret of the refresh conformance suite, long enough",
  database,
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  logger: { level: "error" },
  session: { expiresIn: Number(process.env.SESSION_TTL ?? 604_800), updateAge: 0 },
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: "/sign-in",
      consentPage: "/consent",
      scopes: ["openid", "offline_access"],
      accessTokenExpiresIn: 600,
      refreshTokenExpiresIn: 20,
      refreshTokenReuseInterval: Number(process.env.REUSE_INTERVAL ?? 0),
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
};
const auth = betterAuth(options);
const { runMigrations } = await getMigrations(options);
await runMigrations();

const local = (path, { headers, ...init } = {}) =>
  auth.handler(new Request(`${url}/api/auth${path}`, { ...init, headers: { origin: url, ...headers } }));
const json = (body, headers = {}) => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

/** A new user with a session of its own: the cookie. */
async function signUp() {
  const body = { name: "x", email: `${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
  const answer = await local("/sign-up/email", json(body));
  if (!answer.ok) throw new Error(await answer.text());
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
}

let client = null;
async function clientId() {
  const id = database.prepare("SELECT clientId FROM oauthClient LIMIT 1").get()?.clientId;
  if (id !== undefined) return id;
  const made = await auth.api.adminCreateOAuthClient({
    headers: new Headers({ cookie: await signUp() }),
    body: {
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "none",
      scope: "openid offline_access",
      skip_consent: true,
      grant_types: ["authorization_code", "refresh_token"],
    },
  });
  return made.client_id;
}

/** The authorization code flow with PKCE, without a browser. */
async function grant() {
  client ??= clientId();
  const client_id = await client;
  const cookie = await signUp();
  const verifier = crypto.randomUUID() + crypto.randomUUID();
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    client_id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid offline_access",
    state: crypto.randomUUID(),
    code_challenge: Buffer.from(hash).toString("base64url"),
    code_challenge_method: "S256",
  });
  const asked = await local(`/oauth2/authorize?${query}`, { headers: { cookie } });
  const to = asked.headers.get("location") ?? (await asked.json()).url;
  const code = new URL(to, url).searchParams.get("code");
  if (code === null) throw new Error(`no code: ${to}`);
  const form = {
    grant_type: "authorization_code",
    client_id,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  };
  const answer = await local("/oauth2/token", { method: "POST", body: new URLSearchParams(form) });
  return { status: answer.status, body: { ...(await answer.json()), client_id } };
}

serve(
  { "/test/sign-up": async () => ({ body: { cookie: await signUp() } }), "/test/sign-in": grant },
  toNodeHandler(auth),
);
