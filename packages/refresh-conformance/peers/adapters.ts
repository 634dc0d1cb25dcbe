// How the suite meets the servers of this directory, and what their documents claim with the settings that they run with.
import type { Adapter, Claims, CreateAdapter, RefreshAnswer, Tokens, Use } from "../src/index.ts";

interface OAuthPeer {
  readonly server: string;
  readonly claims: Claims;
  readonly paths: { readonly token: string; readonly access?: string; readonly revoke?: string };
}

const IDLE_MS = 20_000;
const REUSE_MS = 3_000;

const OIDC_PROVIDER: OAuthPeer = {
  server: "oidc-provider 9.13.3 (public client, rotation by default; SQLite adapter)",
  // "Rotated Refresh Token re-use" revokes the grant, as does revocation; access tokens are opaque, and looked up.
  claims: {
    singleUse: true,
    theft: "ends-session",
    revocation: true,
    accessRevokedWithinMs: 0,
    durable: true,
    idleExpiryMs: IDLE_MS,
  },
  paths: { token: "/token", access: "/me", revoke: "/token/revocation" },
};

const NODE_OAUTH2_SERVER: OAuthPeer = {
  server: "@node-oauth/oauth2-server 5.3.0 (defaults; SQLite model)",
  claims: { singleUse: true, durable: true, idleExpiryMs: IDLE_MS },
  paths: { token: "/token", access: "/me" },
};

const OPENAUTH: OAuthPeer = {
  server: "@openauthjs/openauth 0.4.3 (reuse 3 s, retention 60 s; storage in a file)",
  // "Interval in seconds where refresh token reuse is allowed", and "to retain refresh tokens for reuse detection".
  claims: {
    singleUse: true,
    retry: { by: "token", withinMs: REUSE_MS },
    tabs: true,
    theft: "ends-session",
    durable: true,
    idleExpiryMs: IDLE_MS,
  },
  paths: { token: "/token" },
};

const BETTER_AUTH_OAUTH: OAuthPeer = {
  server: "@better-auth/oauth-provider 1.7.5 (defaults; SQLite)",
  claims: {
    singleUse: true,
    theft: "ends-session",
    revocation: true,
    durable: true,
    idleExpiryMs: IDLE_MS,
  },
  paths: {
    token: "/api/auth/oauth2/token",
    access: "/api/auth/oauth2/userinfo",
    revoke: "/api/auth/oauth2/revoke",
  },
};

/** A refresh token that was used is answered as before, for so long. */
const BETTER_AUTH_OAUTH_REUSE: OAuthPeer = {
  ...BETTER_AUTH_OAUTH,
  server: "@better-auth/oauth-provider 1.7.5 (refreshTokenReuseInterval 3 s; SQLite)",
  claims: { ...BETTER_AUTH_OAUTH.claims, retry: { by: "token", withinMs: REUSE_MS }, tabs: true },
};

export const oidcProvider = oauth(OIDC_PROVIDER);
export const oidcProviderSlow = oauth({
  ...OIDC_PROVIDER,
  server: "oidc-provider 9.13.3 (the same, with a store that answers after 2 ms)",
});
export const nodeOauth2Server = oauth(NODE_OAUTH2_SERVER);
export const openauth = oauth(OPENAUTH);
export const betterAuthOauth = oauth(BETTER_AUTH_OAUTH);
export const betterAuthOauthReuse = oauth(BETTER_AUTH_OAUTH_REUSE);

/** A session in a cookie that does not rotate: to use it is to refresh it. */
export const betterAuthSession: CreateAdapter = ({ url }): Adapter => {
  const send = (path: string, tokens: Tokens, init: RequestInit = {}) =>
    fetch(`${url}/api/auth${path}`, { ...init, headers: { cookie: tokens.refresh, origin: url } });
  const look = async (tokens: Tokens): Promise<Use> => {
    const response = await send("/get-session", tokens);
    const answer = String(response.status);
    const body = await response.text();
    if (!response.ok) return { kind: response.status >= 500 ? "unavailable" : "refused", answer };
    return body === "null" || body === ""
      ? { kind: "refused", answer: `${answer} null` }
      : { kind: "accepted", answer };
  };
  return {
    server: "better-auth 1.7.5 (sessions in a cookie; SQLite)",
    claims: {
      retry: { by: "token", withinMs: Number.POSITIVE_INFINITY },
      tabs: true,
      revocation: true,
      accessRevokedWithinMs: 0,
      durable: true,
      idleExpiryMs: IDLE_MS,
      bounded: true,
    },
    async signIn() {
      const { cookie } = await json(await fetch(`${url}/test/sign-up`, { method: "POST" }));
      return { refresh: cookie ?? "", access: cookie ?? "" };
    },
    async refresh(tokens) {
      const { kind, answer } = await look(tokens).catch(unreachable);
      return kind === "accepted" ? { kind: "renewed", tokens, answer } : { kind, answer };
    },
    tryAccess: (tokens) => look(tokens).catch(unreachable),
    revoke: async (tokens) => (await send("/sign-out", tokens, { method: "POST" })).ok,
    wait,
  };
};

function oauth({ server, claims, paths }: OAuthPeer): CreateAdapter {
  return ({ url }): Adapter => {
    const post = (path: string, form: Record<string, string>) =>
      fetch(url + path, { method: "POST", body: new URLSearchParams(form) });
    const clientOf = ({ more }: Tokens) => ({ client_id: String(more) });

    async function refresh(tokens: Tokens): Promise<RefreshAnswer> {
      const form = { grant_type: "refresh_token", refresh_token: tokens.refresh, ...clientOf(tokens) };
      const response = await post(paths.token, form);
      const { error, ...body } = await json(response);
      const answer = [response.status, error].filter(Boolean).join(" ");
      if (response.ok) return { kind: "renewed", tokens: tokensOf(body, tokens.more), answer };
      return { kind: response.status >= 500 || response.status === 429 ? "unavailable" : "refused", answer };
    }

    async function access({ access }: Tokens): Promise<Use> {
      const { ok, status } = await fetch(url + paths.access, {
        headers: { authorization: `Bearer ${access}` },
      });
      return { kind: ok ? "accepted" : status >= 500 ? "unavailable" : "refused", answer: String(status) };
    }

    const { revoke } = paths;
    return {
      server,
      claims,
      async signIn() {
        const response = await fetch(`${url}/test/sign-in`, { method: "POST" });
        const body = await json(response);
        if (!response.ok) throw new Error(`sign-in: ${response.status} ${JSON.stringify(body)}`);
        return tokensOf(body, body.client_id ?? "app");
      },
      refresh: (tokens) => refresh(tokens).catch(unreachable),
      tryAccess: (tokens) => access(tokens).catch(unreachable),
      ...(revoke && {
        revoke: async (tokens: Tokens) =>
          (await post(revoke, { token: tokens.refresh, ...clientOf(tokens) })).ok,
      }),
      wait,
    };
  };
}

function tokensOf(body: Record<string, string | undefined>, clientId: unknown): Tokens {
  return { refresh: body.refresh_token ?? "", access: body.access_token ?? null, more: clientId };
}

async function json(response: Response): Promise<Record<string, string | undefined>> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { error: text.slice(0, 40) };
  }
}

function unreachable(error: unknown): { readonly kind: "unavailable"; readonly answer: string } {
  return { kind: "unavailable", answer: error instanceof Error ? error.message : String(error) };
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
