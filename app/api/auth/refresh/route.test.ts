import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { verifyAccessToken, verifyRefreshToken } from "../../../lib/auth.ts";
import { GET as session } from "../../[...path]/route.ts";
import { answer, bearer, COOKIES, cookiesOf, get, jar, ORIGIN, post, signedIn } from "../routes.fixture.ts";
import { POST as signIn } from "../wallet/route.ts";
import { GET, POST } from "./route.ts";

const KEY = "0123456789abcdef0123456789abcdef";

async function refresh(refresh_token: string, headers: Record<string, string> = {}) {
  const response = await POST(post("/api/auth/refresh", { refresh_token }, headers));
  return { status: response.status, response, body: await response.json() };
}

test("a refresh token gives a new access token and its successor", async () => {
  const first = await signedIn();
  const { status, body, response } = await refresh(first.refresh_token);
  expect(status).toBe(200);
  expect(Object.keys(body).sort()).toEqual([
    "access_token",
    "expires_in",
    "refresh_expires_in",
    "refresh_token",
    "session_id",
    "token_type",
  ]);
  expect(body.refresh_token).not.toBe(first.refresh_token);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await verifyAccessToken(body.access_token)).toMatchObject({ sessionId: first.session_id });
  expect(await verifyRefreshToken(body.refresh_token)).toMatchObject({ id: first.session_id, generation: 2 });
});

test("a rotated token used again ends the session", async () => {
  const first = await signedIn();
  const second = await refresh(first.refresh_token);
  expect(await refresh(first.refresh_token)).toMatchObject({
    status: 401,
    body: { code: "refresh_token_reused" },
  });
  expect(await refresh(second.body.refresh_token)).toMatchObject({
    status: 401,
    body: { code: "refresh_token_revoked" },
  });
  const dead = await session(get("/api/auth/session", bearer(second.body.access_token)));
  expect([dead.status, (await dead.json()).code]).toEqual([401, "session_revoked"]);
  expect(dead.headers.get("www-authenticate")).toContain('error="invalid_token"');
});

test("a lost answer, retried with its key, quoted or bare", async () => {
  const first = await signedIn();
  const second = await refresh(first.refresh_token, { "idempotency-key": KEY });
  const retried = await refresh(first.refresh_token, { "idempotency-key": `"${KEY}"` });
  expect(retried.body.refresh_token).toBe(second.body.refresh_token);
});

test("the token by form", async () => {
  const { refresh_token } = await signedIn();
  const body = new URLSearchParams({ refresh_token });
  const response = await POST(new Request(`${ORIGIN}/api/auth/refresh`, { method: "POST", body }));
  expect(response.status).toBe(200);
});

test("by cookie: the jar is renewed, and the retry key goes with it", async () => {
  const headers = { "session-transport": "cookie", origin: ORIGIN };
  const signed = await signIn(post("/api/auth/wallet", await answer(createWalletKeypair()), headers));
  const cookies = cookiesOf(signed);
  cookies.delete(COOKIES.access);
  cookies.set(COOKIES.retry, KEY);
  const request = () =>
    new Request(`${ORIGIN}/api/auth/refresh`, {
      method: "POST",
      headers: { origin: ORIGIN, ...jar(cookies) },
    });
  const response = await POST(request());
  expect(response.status).toBe(200);
  const renewed = cookiesOf(response);
  expect(renewed.get(COOKIES.refresh)).toMatch(/^wsr1_/);
  expect(renewed.get(COOKIES.retry)).toBe("");
  const again = cookiesOf(await POST(request()));
  expect(again.get(COOKIES.refresh)).toBe(renewed.get(COOKIES.refresh));
});

test("the bounce sends a page load back where it came from, with a fresh jar", async () => {
  const headers = { "session-transport": "cookie", origin: ORIGIN };
  const signed = await signIn(post("/api/auth/wallet", await answer(createWalletKeypair()), headers));
  const cookies = cookiesOf(signed);
  cookies.delete(COOKIES.access);
  const response = await GET(get("/api/auth/refresh?next=/session", jar(cookies)));
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toMatch(/\/session$/);
  expect(cookiesOf(response).get(COOKIES.access)).toMatch(/^[\w-]+\./);
  const evil = await GET(get("/api/auth/refresh?next=//evil.example/x", jar(cookies)));
  expect(new URL(evil.headers.get("location") ?? "", ORIGIN).origin).toBe(ORIGIN);
});

test.each([
  ["nothing", undefined, 401, "refresh_token_missing"],
  ["an array", "[]", 400, "invalid_request"],
  ["a number for a token", '{"refresh_token":1}', 400, "invalid_request"],
  ["a doubled member", '{"refresh_token":"a","refresh_token":"b"}', 400, "invalid_request"],
  ["garbage", '{"refresh_token":"garbage"}', 401, "refresh_token_invalid"],
])("%s in the body", async (_, body, status, code) => {
  const init: RequestInit = { method: "POST", headers: { "content-type": "application/json" } };
  if (body !== undefined) init.body = body;
  const response = await POST(new Request(`${ORIGIN}/api/auth/refresh`, init));
  expect([response.status, (await response.json()).code]).toEqual([status, code]);
});
