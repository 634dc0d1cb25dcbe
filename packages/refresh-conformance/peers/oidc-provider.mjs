// oidc-provider with a public client, for which it rotates refresh tokens by default. The adapter is the one of its documents
// (example/my_adapter.js) on SQLite. What a user's consent would leave, a grant and a code, is made by its own models; the code
// is exchanged at its own token endpoint.
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import Provider from "oidc-provider";
import { path, serve, url } from "./serve.mjs";

const database = new DatabaseSync(path("oidc.db"));
database.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");
database.exec(
  "CREATE TABLE IF NOT EXISTS models (name TEXT, id TEXT, payload TEXT, grant_id TEXT, uid TEXT, expires_at REAL, PRIMARY KEY (name, id))",
);
const statement = (sql) => database.prepare(sql);

/** As long as a database on the network takes to answer. */
const { STORE_MS = "0" } = process.env;
const answered = () => (STORE_MS === "0" ? null : delay(Number(STORE_MS)));

class SqliteAdapter {
  constructor(name) {
    this.name = name;
  }
  async upsert(id, payload, expiresIn) {
    await answered();
    statement("INSERT OR REPLACE INTO models VALUES (?, ?, ?, ?, ?, ?)").run(
      this.name,
      id,
      JSON.stringify(payload),
      payload.grantId ?? null,
      payload.uid ?? null,
      expiresIn ? Date.now() + expiresIn * 1_000 : null,
    );
  }
  #read(row) {
    if (row === undefined || (row.expires_at !== null && row.expires_at < Date.now())) return undefined;
    return JSON.parse(row.payload);
  }
  async find(id) {
    await answered();
    return this.#read(statement("SELECT * FROM models WHERE name = ? AND id = ?").get(this.name, id));
  }
  async findByUid(uid) {
    await answered();
    return this.#read(statement("SELECT * FROM models WHERE name = ? AND uid = ?").get(this.name, uid));
  }
  async findByUserCode() {
    return undefined;
  }
  async destroy(id) {
    await answered();
    statement("DELETE FROM models WHERE name = ? AND id = ?").run(this.name, id);
  }
  async revokeByGrantId(grantId) {
    await answered();
    statement("DELETE FROM models WHERE grant_id = ?").run(grantId);
  }
  async consume(id) {
    await answered();
    statement("UPDATE models SET payload = json_set(payload, '$.consumed', ?) WHERE name = ? AND id = ?").run(
      Math.floor(Date.now() / 1_000),
      this.name,
      id,
    );
  }
}

const redirectUri = "https://app.example.com/callback";
const provider = new Provider(url, {
  adapter: SqliteAdapter,
  clients: [
    {
      client_id: "app",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [redirectUri],
    },
  ],
  features: { revocation: { enabled: true }, devInteractions: { enabled: false } },
  findAccount: (_, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  ttl: { RefreshToken: 20, AccessToken: 600, Grant: 600, AuthorizationCode: 60 },
});

async function signIn() {
  const accountId = crypto.randomUUID();
  const scope = "openid offline_access";
  const grant = new provider.Grant({ accountId, clientId: "app" });
  grant.addOIDCScope(scope);
  const client = await provider.Client.find("app");
  const code = await new provider.AuthorizationCode({
    accountId,
    client,
    grantId: await grant.save(),
    redirectUri,
    scope,
    authTime: Math.floor(Date.now() / 1_000),
  }).save();
  const answer = await fetch(`${url.replace("localhost", "127.0.0.1")}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "app",
      code,
      redirect_uri: redirectUri,
    }),
  });
  return { status: answer.status, body: await answer.json() };
}

serve({ "/test/sign-in": signIn }, provider.callback());
