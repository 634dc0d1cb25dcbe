import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { answer, COOKIES, cookiesOf, get, ORIGIN, post } from "../routes.fixture.ts";
import { DELETE, GET, OPTIONS, POST } from "./route.ts";

test("a real key signs a real challenge and gets both tokens", async () => {
  const wallet = createWalletKeypair();
  const response = await POST(post("/api/auth/wallet", await answer(wallet)));
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const body = await response.json();
  expect(body).toEqual({
    token: body.access_token,
    access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]{86}$/),
    token_type: "Bearer",
    expires_in: 900,
    refresh_token: expect.stringMatching(/^wsr1_[\w-]{96}$/),
    refresh_expires_in: 604_800,
    session_id: expect.stringMatching(/^[\w-]{22}$/),
  });
});

test("the answer by form, as SEP-10 clients send it", async () => {
  const { transaction } = await answer(createWalletKeypair());
  const request = new Request(`${ORIGIN}/api/auth/wallet`, {
    method: "POST",
    body: new URLSearchParams({ transaction }),
  });
  expect((await POST(request)).status).toBe(200);
});

test("by cookie: the tokens go into the jar alone", async () => {
  const signed = await answer(createWalletKeypair());
  const headers = { "session-transport": "cookie", "sec-fetch-site": "same-origin" };
  const response = await POST(post("/api/auth/wallet", signed, headers));
  expect(Object.keys(await response.json()).sort()).toEqual([
    "expires_in",
    "refresh_expires_in",
    "session_id",
    "token_type",
  ]);
  const cookies = cookiesOf(response);
  expect(cookies.get(COOKIES.access)).toMatch(/^[\w-]+\./);
  expect(cookies.get(COOKIES.refresh)).toMatch(/^wsr1_/);
});

test("by cookie from another origin: refused, and the challenge is still good", async () => {
  const signed = await answer(createWalletKeypair());
  const foreign = { "session-transport": "cookie", origin: "https://evil.example" };
  const refused = await POST(post("/api/auth/wallet", signed, foreign));
  expect([refused.status, (await refused.json()).code]).toEqual([403, "cross_origin"]);
  expect((await POST(post("/api/auth/wallet", signed))).status).toBe(200);
});

test("a challenge answers once", async () => {
  const signed = await answer(createWalletKeypair());
  const statuses = await Promise.all(
    [1, 2, 3].map(async () => (await POST(post("/api/auth/wallet", signed))).status),
  );
  expect(statuses.sort()).toEqual([200, 400, 400]);
});

test("another key's signature is refused", async () => {
  const [wallet, thief] = [createWalletKeypair(), createWalletKeypair()];
  const response = await GET(get(`/api/auth/wallet?account=${wallet.account}`));
  const refused = await POST(post("/api/auth/wallet", { transaction: thief.sign(await response.json()) }));
  expect([refused.status, (await refused.json()).code]).toEqual([400, "signature_invalid"]);
});

test("CORS for every origin, on errors and preflights too", async () => {
  for (const response of [
    await GET(get("/api/auth/wallet")),
    await POST(post("/api/auth/wallet", {})),
    await OPTIONS(get("/api/auth/wallet", {}, "OPTIONS")),
    await DELETE(get("/api/auth/wallet", {}, "DELETE")),
  ]) {
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  }
});
