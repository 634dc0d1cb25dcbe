import { expect, test } from "vitest";
import { GET as wellKnown } from "../.well-known/[...path]/route.ts";
import { sessions } from "../lib/auth.ts";
import { GET, PATCH } from "./[...path]/route.ts";
import { bearer, get, signedIn } from "./auth/routes.fixture.ts";

test("alive at once, ready when started", async () => {
  expect((await GET(get("/api/healthz"))).status).toBe(200);
  await sessions.start();
  expect((await GET(get("/api/readyz"))).status).toBe(200);
});

test("there are no metrics without a token for them", async () => {
  const response = await GET(get("/api/metrics", bearer("a-token-that-nobody-has-set")));
  expect([response.status, (await response.json()).code]).toEqual([404, "not_found"]);
});

test("public keys and stellar.toml are for everyone", async () => {
  await signedIn();
  const keys = await (await wellKnown(get("/.well-known/jwks.json"))).json();
  expect(keys.keys[0]).not.toHaveProperty("d");
  const toml = await (await wellKnown(get("/.well-known/stellar.toml"))).text();
  expect(toml).toContain('WEB_AUTH_ENDPOINT="http://localhost:3000/api/auth/wallet"');
});

test("an unknown address is a problem like any other", async () => {
  const response = await PATCH(get("/api/nothing", {}, "PATCH"));
  expect([response.status, (await response.json()).code]).toEqual([404, "not_found"]);
});
