// @node-oauth/oauth2-server with the model of its documents on SQLite: revokeToken deletes the row, and says whether it was there.
import { DatabaseSync } from "node:sqlite";
import OAuth2Server from "@node-oauth/oauth2-server";
import { path, serve } from "./serve.mjs";

const { Request, Response } = OAuth2Server;
const database = new DatabaseSync(path("oauth2.db"));
database.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");
database.exec(
  "CREATE TABLE IF NOT EXISTS tokens (access_token TEXT PRIMARY KEY, access_expires REAL, refresh_token TEXT UNIQUE, refresh_expires REAL, user TEXT)",
);

const client = { id: "app", grants: ["password", "refresh_token"] };
const found = (row) =>
  row && {
    accessToken: row.access_token,
    accessTokenExpiresAt: new Date(row.access_expires),
    refreshToken: row.refresh_token,
    refreshTokenExpiresAt: new Date(row.refresh_expires),
    client,
    user: { id: row.user },
  };

const oauth = new OAuth2Server({
  requireClientAuthentication: { password: false, refresh_token: false },
  accessTokenLifetime: 600,
  refreshTokenLifetime: 20,
  model: {
    getClient: async (id) => (id === client.id ? client : null),
    getUser: async (username) => ({ id: username }),
    async saveToken(token, _, user) {
      const { accessToken, accessTokenExpiresAt, refreshToken, refreshTokenExpiresAt } = token;
      database
        .prepare("INSERT INTO tokens VALUES (?, ?, ?, ?, ?)")
        .run(
          accessToken,
          accessTokenExpiresAt.getTime(),
          refreshToken,
          refreshTokenExpiresAt.getTime(),
          user.id,
        );
      return { ...token, client, user };
    },
    getAccessToken: async (token) =>
      found(database.prepare("SELECT * FROM tokens WHERE access_token = ?").get(token)),
    getRefreshToken: async (token) =>
      found(database.prepare("SELECT * FROM tokens WHERE refresh_token = ?").get(token)),
    revokeToken: async ({ refreshToken }) =>
      database.prepare("DELETE FROM tokens WHERE refresh_token = ?").run(refreshToken).changes > 0,
  },
});

const asked = (text, { method, headers }) =>
  new Request({ method, headers, query: {}, body: Object.fromEntries(new URLSearchParams(text)) });

async function token(text, request) {
  const response = new Response();
  await oauth.token(asked(text, request), response).catch(() => {});
  return { status: response.status, body: response.body };
}

serve(
  {
    "/token": token,
    "/test/sign-in": (_, { headers }) =>
      token(`grant_type=password&client_id=app&username=${crypto.randomUUID()}&password=x`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/x-www-form-urlencoded", "content-length": "1" },
      }),
    "/me": async (text, request) => {
      const response = new Response();
      const { user } = await oauth.authenticate(asked(text, request), response).catch(() => ({}));
      return user === undefined ? { status: response.status, body: {} } : { body: { sub: user.id } };
    },
  },
  (_, response) => void response.writeHead(404).end(),
);
