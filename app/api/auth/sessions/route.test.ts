import { expect, test } from "vitest";
import { createWalletKeypair } from "wallet-session/testing";
import { DELETE, GET, POST } from "../../[...path]/route.ts";
import { POST as refresh } from "../refresh/route.ts";
import { bearer, get, post, type SignedIn, signedIn } from "../routes.fixture.ts";

async function list(of: SignedIn): Promise<{ id: string; current: boolean }[]> {
  const response = await GET(get("/api/auth/sessions", bearer(of.access_token)));
  return (await response.json()).sessions;
}

async function isAlive(of: SignedIn): Promise<boolean> {
  return (await GET(get("/api/auth/session", bearer(of.access_token)))).status === 200;
}

test("a person sees own sessions only, with no secret in them", async () => {
  const wallet = createWalletKeypair();
  const [first, second] = [await signedIn(wallet), await signedIn(wallet)];
  await signedIn();
  const response = await GET(get("/api/auth/sessions", bearer(second.access_token)));
  const text = await response.text();
  const { sessions } = JSON.parse(text);
  expect(sessions.map(({ id }: { id: string }) => id).sort()).toEqual(
    [first.session_id, second.session_id].sort(),
  );
  expect(sessions.filter(({ current }: { current: boolean }) => current)).toEqual([
    expect.objectContaining({ id: second.session_id, generation: 1 }),
  ]);
  expect(text).not.toMatch(/wsr1_|eyJ|hash|salt|secret/);
});

test("one is ended by its id; someone else's is not there", async () => {
  const wallet = createWalletKeypair();
  const [first, second, foreign] = [await signedIn(wallet), await signedIn(wallet), await signedIn()];
  const end = (id: string) =>
    DELETE(get(`/api/auth/sessions/${id}`, bearer(second.access_token), "DELETE")).then(
      ({ status }) => status,
    );
  expect(await end(foreign.session_id)).toBe(404);
  expect(await end("nonsense")).toBe(404);
  expect(await end(first.session_id)).toBe(204);
  expect([await isAlive(first), await isAlive(second), await isAlive(foreign)]).toEqual([false, true, true]);
});

test("all others, then all", async () => {
  const wallet = createWalletKeypair();
  const [first, second] = [await signedIn(wallet), await signedIn(wallet)];
  const end = async (query: string) =>
    (await DELETE(get(`/api/auth/sessions${query}`, bearer(second.access_token), "DELETE"))).json();
  expect(await end("")).toEqual({ revoked: 1 });
  expect(await list(second)).toHaveLength(1);
  expect(await end("?scope=all")).toEqual({ revoked: 1 });
  expect([await isAlive(first), await isAlive(second)]).toEqual([false, false]);
});

test("who signs out by either token is signed out, twice as well as once", async () => {
  const byRefresh = await signedIn();
  const byAccess = await signedIn();
  for (let n = 0; n < 2; n += 1) {
    const { refresh_token } = byRefresh;
    expect((await POST(post("/api/auth/logout", { refresh_token }))).status).toBe(204);
    const request = get("/api/auth/logout", bearer(byAccess.access_token), "POST");
    expect((await POST(request)).status).toBe(204);
  }
  for (const { refresh_token } of [byRefresh, byAccess]) {
    const response = await refresh(post("/api/auth/refresh", { refresh_token }));
    expect((await response.json()).code).toBe("refresh_token_revoked");
  }
});

test.each([
  ["no token", {}, "access_token_missing"],
  ["garbage", bearer("a.b.c"), "access_token_invalid"],
])("guarded: %s", async (_, headers, code) => {
  for (const response of [
    await GET(get("/api/auth/sessions", headers)),
    await DELETE(get("/api/auth/sessions", headers, "DELETE")),
    await DELETE(get("/api/auth/sessions/x", headers, "DELETE")),
    await GET(get("/api/auth/session", headers)),
  ]) {
    expect([response.status, (await response.json()).code]).toEqual([401, code]);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
  }
});
