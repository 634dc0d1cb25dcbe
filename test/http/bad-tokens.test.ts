// Tokens that are not quite ours, over HTTP: refused as documented, without a write and without an echo.

import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { openSqliteStore } from "wallet-session/stores/sqlite";
import { sessionIdFrom } from "../../packages/wallet-session/src/session-id.ts";
import {
  type AuthenticRefreshToken,
  readRefreshToken,
  writeRefreshToken,
} from "../../packages/wallet-session/src/tokens/refresh-token.ts";
import { createKeyring, type Keyring } from "../../packages/wallet-session/src/tokens/secrets.ts";
import { createSigningKeys } from "../../packages/wallet-session/src/tokens/signing-keys.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE } from "../support/cookies.ts";
import { dump } from "../support/database.ts";
import { forgedAccessTokens } from "../support/forged-access-tokens.ts";
import { problemOf, STACK_TRACE } from "../support/http-client.ts";
import { bearer } from "../support/session-client.ts";

const app = appUnderTest();

const keyring = (): Keyring => createKeyring([app.server.settings.AUTH_SECRET ?? ""]);

/** Tokens made of a good one that the grammar or the MAC gives away, then those that only the row does. */
function badRefreshTokens(good: string, accessToken: string): [name: string, token: string][] {
  const { signing } = keyring();
  const body = good.slice("wsr1_".length);
  const raw = Buffer.from(body, "base64url");
  const read = readRefreshToken(keyring(), good);
  if (read === null) throw new Error("the good token is not one");
  const rewritten = (change: Partial<AuthenticRefreshToken>) =>
    writeRefreshToken(signing, { ...read, ...change });
  // One bit of each byte. All bits: http/bad-inputs.test.ts of the package, without a server between.
  const flipped = Array.from(raw, (byte, index): [string, string] => {
    const altered = Buffer.from(raw);
    altered[index] = byte ^ (1 << (index & 7));
    return [`a bit of byte ${index} flipped`, `wsr1_${altered.toString("base64url")}`];
  });
  return [
    ["garbage", "garbage"],
    ["padding", `${good}=`],
    ["the standard alphabet", `wsr1_${raw.toString("base64").slice(0, -1)}+`],
    ["its last character altered", `${good.slice(0, -1)}${good.endsWith("A") ? "B" : "A"}`],
    ["truncated", good.slice(0, -1)],
    ["one character longer", `${good}A`],
    ["one byte longer", `wsr1_${Buffer.concat([raw, Buffer.of(0)]).toString("base64url")}`],
    ["another version", `wsr2_${body}`],
    ["no prefix", body],
    ["upper case", good.toUpperCase()],
    ["an unknown key", writeRefreshToken(createKeyring(["x".repeat(32)]).signing, read)],
    ["generation 0", rewritten({ generation: 0 })],
    ["generation 2^32 - 1", rewritten({ generation: 0xffff_ffff })],
    [
      "a real session id and a random rest",
      `wsr1_${Buffer.concat([raw.subarray(0, 20), randomBytes(52)]).toString("base64url")}`,
    ],
    ["an access token", accessToken],
    ...flipped,
    ["another secret of its generation", rewritten({ secret: randomBytes(32) })],
    ["a generation to come", rewritten({ generation: 2 })],
    ["the last generation", rewritten({ generation: 0xffff_fffe })],
    ["a session that is none", rewritten({ sessionId: sessionIdFrom(randomBytes(16)) })],
  ];
}

describe("a refresh token that is not quite one of ours", () => {
  test("is refused by body, and its session lives", async () => {
    const { client, server } = app;
    const { refreshToken, accessToken } = await client.signIn();
    const before = dump(server);
    for (const [name, token] of badRefreshTokens(refreshToken, accessToken)) {
      const answer = await client.refresh(token);
      expect([name, problemOf(answer)]).toEqual([name, "401 refresh_token_invalid"]);
      expect(answer.text).not.toContain(token);
      expect(answer.text).not.toMatch(STACK_TRACE);
    }
    expect(dump(server)).toBe(before);
    expect((await client.refresh(refreshToken)).status).toBe(200);
  });

  test("is refused by cookie, and its session lives", async () => {
    const { client, server } = app;
    const jar = await client.signedInBrowser();
    const good = jar.cookies.get(REFRESH_COOKIE) ?? "";
    const before = dump(server);
    for (const [name, token] of badRefreshTokens(good, jar.cookies.get(ACCESS_COOKIE) ?? "")) {
      const headers = { Origin: server.publicUrl, Cookie: `${REFRESH_COOKIE}=${token}` };
      const answer = await client.send("POST", "/api/auth/refresh", { headers });
      expect([name, problemOf(answer)]).toEqual([name, "401 refresh_token_invalid"]);
      expect(answer.text + answer.setCookies).not.toContain(token);
    }
    expect(dump(server)).toBe(before);
    jar.cookies.delete(ACCESS_COOKIE);
    expect((await jar.send("POST", "/api/auth/refresh")).status).toBe(200);
  });
});

/** The key that the server signs with, taken out of its store as only the secret allows. */
async function signingKey() {
  const store = openSqliteStore({ path: app.server.databasePath });
  try {
    const keys = createSigningKeys({
      store,
      keyring: keyring(),
      clock: { now: Date.now },
      random: randomBytes,
      accessTtlMs: 900_000,
      onEvent: () => {},
    });
    return await keys.signer();
  } finally {
    await store.close();
  }
}

async function publishedKey(): Promise<string> {
  const { json } = await app.client.send("GET", "/.well-known/jwks.json");
  const [, x = ""] = /"x":"([\w-]+)"/.exec(JSON.stringify(json)) ?? [];
  return x;
}

describe("an access token that is not quite one of ours", () => {
  test("is refused by header and by cookie, and ends nothing", async () => {
    const { client, server } = app;
    const { accessToken, refreshToken } = await client.signIn();
    const before = dump(server);
    for (const [name, token, code = "access_token_invalid"] of forgedAccessTokens({
      good: accessToken,
      signer: await signingKey(),
      publicKey: await publishedKey(),
      refreshToken,
    })) {
      for (const headers of [bearer(token), { Cookie: `${ACCESS_COOKIE}=${token}` }]) {
        for (const path of ["/api/auth/session", "/api/auth/sessions"]) {
          const answer = await client.send("GET", path, { headers });
          expect([name, problemOf(answer)]).toEqual([name, `401 ${code}`]);
          expect(answer.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
          expect(answer.text).not.toContain(token.slice(0, 20));
          expect(answer.text).not.toMatch(STACK_TRACE);
        }
      }
    }
    expect(dump(server)).toBe(before);
    expect((await client.session(accessToken)).status).toBe(200);
  });

  test("of 64 KB is refused before it is read", async () => {
    const { client } = app;
    const answer = await client.send("GET", "/api/auth/session", { headers: bearer("x".repeat(65_536)) });
    expect(answer.status).toBe(431);
    expect((await client.send("GET", "/api/healthz")).status).toBe(200);
  });

  test("of 12 KB is refused", async () => {
    const answer = await app.client.send("GET", "/api/auth/session", { headers: bearer("x".repeat(12_000)) });
    expect(problemOf(answer)).toBe("401 access_token_invalid");
  });

  test("is not saved by a good one in a second header, nor by one in a cookie", async () => {
    const { client, server } = app;
    const { accessToken } = await client.signIn();
    const bad = `${accessToken}=`;
    const doubled = await new Promise<number | undefined>((resolve, reject) => {
      const headers = [
        "Host",
        "localhost",
        "Authorization",
        `Bearer ${bad}`,
        "Authorization",
        `Bearer ${accessToken}`,
      ];
      request(new URL("/api/auth/session", server.address), { headers }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode));
      })
        .once("error", reject)
        .end();
    });
    expect(doubled).toBe(401);
    for (const headers of [
      { ...bearer(bad), Cookie: `${ACCESS_COOKIE}=${accessToken}` },
      bearer(`${bad}, Bearer ${accessToken}`),
      bearer(`${accessToken}, Bearer ${accessToken}`),
    ]) {
      const answer = await client.send("GET", "/api/auth/session", { headers });
      expect(problemOf(answer)).toBe("401 access_token_invalid");
    }
  });

  test("is left out where a good one comes beside it, but two good ones are refused", async () => {
    const { client } = app;
    const [one, other] = [await client.signIn(), await client.signIn()];
    const session = (...tokens: string[]) => {
      const Cookie = tokens.map((token) => `${ACCESS_COOKIE}=${token}`).join("; ");
      return client.send("GET", "/api/auth/session", { headers: { Cookie } });
    };
    expect((await session("garbage", one.accessToken)).json.session_id).toBe(one.sessionId);
    expect((await session(one.accessToken, `${other.accessToken}A`)).json.session_id).toBe(one.sessionId);
    expect(problemOf(await session(one.accessToken, other.accessToken))).toBe("400 invalid_request");
  });
});
