// OAuth's endpoints as clients know them that have never heard of this service: oauth4webapi and openid-client, as they are.
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AppServer, startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import {
  discovered,
  INTROSPECTION_CLIENTS,
  INTROSPECTOR,
  insecure,
  signInWith,
} from "../support/oauth-clients.ts";

const app = appUnderTest(() => ({ INTROSPECTION_CLIENTS }), startServe);
/** Another node, on the same store and under the same name. */
let other: AppServer;

beforeAll(async () => {
  other = await startServe({ INTROSPECTION_CLIENTS, PUBLIC_URL: app.server.publicUrl }, app.server);
});
afterAll(() => other.stop());

const KINDS = ["bearer", "dpop"] as const;

describe.each(KINDS)("oauth4webapi, with a session of the kind %s", (kind) => {
  const client: oauth.Client = { client_id: "app" };

  async function start() {
    const issuer = new URL(app.server.publicUrl);
    const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    if (kind === "bearer") return { as, tokens: await app.client.signIn(), more: insecure };
    const keys = await oauth.generateKeyPair("ES256");
    return { as, tokens: await signInWith(app, keys), more: { ...insecure, DPoP: oauth.DPoP(client, keys) } };
  }

  async function renew({ as, more }: Awaited<ReturnType<typeof start>>, refreshToken: string) {
    const ask = async () =>
      oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshToken, more),
      );
    // As its documentation says.
    return ask().catch((error) => {
      if (oauth.isDPoPNonceError(error)) return ask();
      throw error;
    });
  }

  async function introspect(as: oauth.AuthorizationServer, token: string) {
    const by: oauth.Client = { client_id: INTROSPECTOR.id };
    const basic = oauth.ClientSecretBasic(INTROSPECTOR.secret);
    const response = await oauth.introspectionRequest(as, by, basic, token, insecure);
    return oauth.processIntrospectionResponse(as, by, response);
  }

  test("refreshes, and the tokens are good by the published keys and by introspection", async () => {
    const started = await start();
    const { as, tokens } = started;
    let refreshToken = tokens.refreshToken;
    for (let count = 0; count < 3; count += 1) {
      const answer = await renew(started, refreshToken);
      const { access_token, refresh_token: next = "", token_type, session_id } = answer;
      expect([token_type, session_id]).toEqual([kind, tokens.sessionId]);
      const keys = createRemoteJWKSet(new URL(as.jwks_uri ?? ""));
      const { payload } = await jwtVerify(access_token, keys, { issuer: as.issuer, typ: "at+jwt" });
      expect(await introspect(as, access_token)).toMatchObject({
        active: true,
        token_type: kind === "dpop" ? "DPoP" : "Bearer",
        sub: payload.sub,
        sid: tokens.sessionId,
        ...(kind === "dpop" && { cnf: payload.cnf }),
      });
      expect(await introspect(as, next)).toMatchObject({ active: true, token_type: "refresh_token" });
      expect(await introspect(as, refreshToken)).toEqual({ active: false });
      refreshToken = next;
    }
  });

  test.each(["access", "refresh"])("revokes by the %s token, and that is seen at once", async (by) => {
    const started = await start();
    const { as, tokens } = started;
    const token = by === "access" ? tokens.accessToken : tokens.refreshToken;
    for (let count = 0; count < 2; count += 1) {
      const response = await oauth.revocationRequest(as, client, oauth.None(), token, insecure);
      await oauth.processRevocationResponse(response);
    }
    expect(await introspect(as, tokens.accessToken)).toEqual({ active: false });
    expect(await introspect(as, tokens.refreshToken)).toEqual({ active: false });
    await expect(renew(started, tokens.refreshToken)).rejects.toMatchObject({
      error: "invalid_grant",
      status: 400,
    });
  });

  test("is told by name why not", async () => {
    const { as, more, tokens } = await start();
    const by: oauth.Client = { client_id: INTROSPECTOR.id };
    const basic = oauth.ClientSecretBasic("a secret of somebody else");
    const asked = await oauth.introspectionRequest(as, by, basic, tokens.accessToken, insecure);
    await expect(oauth.processIntrospectionResponse(as, by, asked)).rejects.toMatchObject({ status: 401 });
    const grant = await oauth.clientCredentialsGrantRequest(as, client, oauth.None(), {}, more);
    await expect(oauth.processClientCredentialsResponse(as, client, grant)).rejects.toMatchObject({
      error: "unsupported_grant_type",
    });
  });
});

describe.each(KINDS)("openid-client, with a session of the kind %s", (kind) => {
  test("refreshes, introspects and revokes", async () => {
    const config = await discovered(app.server);
    const keys = kind === "dpop" ? await openid.randomDPoPKeyPair("ES256") : null;
    const DPoP = keys && openid.getDPoPHandle(config, keys);
    let { refreshToken, sessionId } = keys ? await signInWith(app, keys) : await app.client.signIn();
    let accessToken = "";
    for (let count = 0; count < 3; count += 1) {
      const tokens = await openid.refreshTokenGrant(config, refreshToken, {}, DPoP ? { DPoP } : {});
      expect([tokens.token_type, tokens.session_id]).toEqual([kind, sessionId]);
      ({ access_token: accessToken, refresh_token: refreshToken = "" } = tokens);
    }
    const introspector = await discovered(app.server, INTROSPECTOR);
    const active = { active: true, sid: sessionId };
    expect(await openid.tokenIntrospection(introspector, accessToken)).toMatchObject(active);
    await openid.tokenRevocation(config, accessToken);
    expect(await openid.tokenIntrospection(introspector, accessToken)).toEqual({ active: false });
    await expect(
      openid.refreshTokenGrant(config, refreshToken, {}, DPoP ? { DPoP } : {}),
    ).rejects.toMatchObject({ error: "invalid_grant", code: "OAUTH_RESPONSE_BODY_ERROR" });
  });
});

test("a request that was captured whole yields nothing and ends nothing: at once, later, here and on another node", async () => {
  const config = await discovered(app.server);
  const keys = await openid.randomDPoPKeyPair("ES256");
  const DPoP = openid.getDPoPHandle(config, keys);
  const captured: { headers: HeadersInit; body: string }[] = [];
  config[openid.customFetch] = (url, { headers, body, method }) => {
    captured.push({ headers, body: String(body) });
    return fetch(url, { headers, body: String(body), method });
  };
  const { refreshToken } = await signInWith(app, keys);
  const renew = async (token: string) =>
    (await openid.refreshTokenGrant(config, token, {}, { DPoP })).refresh_token ?? "";

  async function sendAgain(): Promise<string[]> {
    const sent = captured.flatMap(({ headers, body }) =>
      [app.server.address, other.address].map(async (address) => {
        const response = await fetch(`${address}/api/auth/token`, { method: "POST", headers, body });
        return `${response.status} ${((await response.json()) as { error: string }).error}`;
      }),
    );
    return Promise.all(sent);
  }

  let newest = await renew(refreshToken);
  // The first asked for a nonce, and the second had it.
  expect(captured).toHaveLength(2);
  for (let rotations = 0; rotations < 3; rotations += 1) {
    for (const answer of await sendAgain())
      expect(answer).toMatch(/^400 (use_dpop_nonce|invalid_dpop_proof)$/);
    newest = await renew(newest);
  }
  expect(newest).toMatch(/^wsr1_/);
});
