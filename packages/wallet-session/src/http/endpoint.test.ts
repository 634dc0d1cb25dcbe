import { describe, expect, test } from "vitest";
import { SessionError } from "../errors.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { problemOf, readJson, startHttp } from "./http.fixture.ts";

const ENDPOINTS: [path: string, allow: string, cors: boolean][] = [
  ["/api/auth/wallet", "GET, POST, HEAD, OPTIONS", true],
  ["/api/auth/refresh", "GET, POST, HEAD, OPTIONS", true],
  ["/api/auth/logout", "POST, OPTIONS", true],
  ["/api/auth/session", "GET, HEAD, OPTIONS", true],
  ["/api/auth/sessions", "GET, DELETE, HEAD, OPTIONS", true],
  ["/api/auth/sessions/some-id", "DELETE, OPTIONS", true],
  ["/.well-known/jwks.json", "GET, HEAD, OPTIONS", true],
  ["/.well-known/stellar.toml", "GET, HEAD, OPTIONS", true],
  ["/.well-known/oauth-authorization-server", "GET, HEAD, OPTIONS", true],
  ["/api/healthz", "GET, HEAD, OPTIONS", false],
  ["/api/readyz", "GET, HEAD, OPTIONS", false],
];
const OWN_HEADERS = [
  "Content-Type",
  "Authorization",
  "DPoP",
  "Step-Up",
  "Idempotency-Key",
  "Session-Transport",
  "Session-Binding",
  "Last-Event-ID",
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"];

describe.each(ENDPOINTS)("%s", (path, allow, cors) => {
  const allowed = allow.split(", ");
  const origin = cors ? "*" : null;

  test("answers every method by itself", async () => {
    const { send } = await startHttp();
    for (const method of METHODS) {
      const response = await send(method, path);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
      expect(response.status === 405).toBe(!allowed.includes(method));
      if (response.status !== 405) continue;
      expect(response.headers.get("allow")).toBe(allow);
      if (method === "HEAD") expect(await response.text()).toBe("");
      else expect(await problemOf(response)).toBe("405 method_not_allowed");
    }
  });

  test("tells what it takes, to other origins too where they may call it", async () => {
    const { send } = await startHttp();
    const response = await send("OPTIONS", path, { headers: { Accept: "text/html" } });
    expect(response.status).toBe(204);
    expect(response.headers.get("allow")).toBe(allow);
    expect(response.headers.get("access-control-allow-methods")).toBe(cors ? allow : null);
    expect(response.headers.get("access-control-allow-headers")).toBe(cors ? OWN_HEADERS.join(", ") : null);
    expect(response.headers.get("access-control-expose-headers")).toBe(
      cors ? "Retry-After, WWW-Authenticate, DPoP-Nonce, Session-Cookies, X-Request-Id" : null,
    );
  });

  test("answers HEAD as GET without the body", async () => {
    if (!allowed.includes("HEAD") || path === "/api/auth/refresh") return;
    const { send } = await startHttp();
    const [get, head] = [await send("GET", path), await send("HEAD", path)];
    expect(head.status).toBe(get.status);
    for (const { headers } of [get, head]) headers.delete("X-Request-Id");
    expect([...head.headers]).toEqual([...get.headers]);
    expect(await head.text()).toBe("");
    expect(await get.text()).not.toBe("");
  });

  test("refuses who takes no JSON before anything else", async () => {
    const { send, store } = await startHttp();
    store.steps.length = 0;
    for (const method of allowed.filter((name) => name !== "HEAD" && name !== "OPTIONS")) {
      const response = await send(method, path, { headers: { Accept: "text/html" } });
      const takesAny = path.endsWith(".toml") || (path === "/api/auth/refresh" && method === "GET");
      if (takesAny) expect(response.status).toBeLessThan(400);
      else expect(await problemOf(response)).toBe("406 not_acceptable");
    }
    expect(store.steps).toEqual([]);
  });
});

test("the SEP-10 endpoint has errors of every kind in plain JSON and no 401; all others have problems", async () => {
  const { send, answerFor, store } = await startHttp();
  const wallet = "/api/auth/wallet";
  const used = await answerFor();
  const { transaction } = await readJson(
    await send("GET", `${wallet}?account=${createWalletKeypair().account}`),
  );
  await send("POST", wallet, { body: used });
  const answers = [
    await send("GET", wallet),
    await send("POST", wallet, { body: used }),
    await send("POST", wallet, { body: { transaction } }),
    await send("POST", wallet, { body: used, headers: { "Session-Transport": "cookie" } }),
    await send("PURGE", wallet),
    await send("GET", wallet, { headers: { Accept: "text/html" } }),
    await send("POST", wallet, { body: "x".repeat(70_000), headers: { "Content-Type": "application/json" } }),
    await send("POST", wallet, { body: "<a/>", headers: { "Content-Type": "text/xml" } }),
  ];
  const fresh = await answerFor();
  store.failing = true;
  answers.push(await send("POST", wallet, { body: fresh }));
  expect(await Promise.all(answers.map(problemOf))).toEqual([
    "400 invalid_request",
    "400 challenge_used",
    "400 signature_invalid",
    "403 cross_origin",
    "405 method_not_allowed",
    "406 not_acceptable",
    "413 body_too_large",
    "415 unsupported_media_type",
    "503 store_unavailable",
  ]);
  for (const { headers } of answers) expect(headers.get("content-type")).toBe("application/json");
  for (const path of ["/api/auth/session", "/api/auth/sessions", "/api/auth/nothing"]) {
    expect((await send("GET", path)).headers.get("content-type")).toBe("application/problem+json");
  }
});

test.each([
  ["application/json", true],
  ["APPLICATION/JSON; charset=utf-8", true],
  ["application/problem+json", true],
  ["application/*", true],
  ["*/*", true],
  ["text/html, */*;q=0.1", true],
  ["", true],
  ["application/json;q=0.001", true],
  ["application/json;q=0, application/problem+json", true],
  ["text/html", false],
  ["text/*", false],
  ["application/xml", false],
  ["application/json;q=0", false],
  ["application/json;q=0, application/problem+json;q=0.0, */*", false],
  ["*/*;q=0", false],
  [`${"text/html,".repeat(99)}application/json`, true],
  [`${"text/html,".repeat(100)}application/json`, false],
  ["application/*;q=0, */*", false],
  ["application/json;q=nonsense", false],
])("Accept: %s is served: %s", async (accept, served) => {
  const { send } = await startHttp();
  const response = await send("GET", "/api/healthz", { headers: { Accept: accept } });
  expect(response.status).toBe(served ? 200 : 406);
});

test.each([
  "/",
  "/api",
  "/api/auth",
  "/api/auth/wallet//",
  "/api/auth//sessions",
  "/api/auth/sessions/a/b",
  "/api/auth/Wallet",
])("there is nothing at %s", async (path) => {
  const { send } = await startHttp();
  for (const method of METHODS.filter((name) => name !== "HEAD")) {
    expect(await problemOf(await send(method, path))).toBe("404 not_found");
  }
  expect(await (await send("HEAD", path)).text()).toBe("");
});

test("an unexpected fault is 500 without a word of it, and is reported once", async () => {
  const fault = new Error("the secret is hunter2");
  const { send, faults, handlers } = await startHttp({
    wallet: {
      takes: { challenge: ["account"], answer: ["transaction"] },
      challenge: () => Promise.reject(fault),
      verify: () => Promise.reject(fault),
      get wellKnown(): never {
        throw fault;
      },
    },
  });
  for (const response of [
    await send("GET", "/api/auth/wallet?account=x"),
    await send("POST", "/api/auth/wallet", { body: { transaction: "x" } }),
    await send("GET", "/.well-known/stellar.toml"),
    handlers.problem(fault),
    handlers.problem("thrown as a string: hunter2"),
  ]) {
    expect(await problemOf(response)).toBe("500 internal_error");
    expect(await response.text()).not.toMatch(/hunter2|stack|\.ts/);
  }
  expect(faults).toEqual([fault, fault, fault, fault, "thrown as a string: hunter2"]);
});

test("an outage of Horizon is 503 and reported; a refusal is not; a broken log changes no answer", async () => {
  const reported: unknown[] = [];
  const { handlers } = await startHttp({
    onFault(error) {
      reported.push(error);
      throw new Error("the log is full");
    },
  });
  const outage = new SessionError("horizon_unavailable", "Horizon did not answer.");
  const response = handlers.problem(outage);
  expect(await problemOf(response)).toBe("503 horizon_unavailable");
  expect(response.headers.get("retry-after")).toBe("2");
  handlers.problem(new SessionError("not_found", "Nothing."));
  expect(reported).toEqual([outage]);
});

test("readiness follows the store and the view of the revocations; liveness follows nothing", async () => {
  const { send, store, clock } = await startHttp();
  expect(await (await send("GET", "/api/readyz")).json()).toMatchObject({ status: "ready" });
  store.failing = true;
  expect(await problemOf(await send("GET", "/api/readyz"))).toBe("503 store_unavailable");
  expect(await (await send("GET", "/api/healthz")).json()).toEqual({ status: "alive" });
  store.failing = false;
  clock.advance(11_000);
  expect(await problemOf(await send("GET", "/api/readyz"))).toBe("503 store_unavailable");
});

test("readiness asks for what else the app stands on", async () => {
  let ready = async () => {};
  const { send } = await startHttp({ ready: () => ready() });
  expect((await send("GET", "/api/readyz")).status).toBe(200);
  ready = async () => {
    throw new SessionError("store_unavailable", "The orders are away.");
  };
  const refused = await send("GET", "/api/readyz");
  expect(await refused.clone().json()).toMatchObject({ detail: "The orders are away." });
  expect(await problemOf(refused)).toBe("503 store_unavailable");
  expect(refused.headers.get("retry-after")).toBe("2");
});

test("the key set has public keys only, and may be cached", async () => {
  const { send } = await startHttp();
  const response = await send("GET", "/.well-known/jwks.json", {
    headers: { Accept: "application/json, application/jwk-set+json" },
  });
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("cache-control")).toBe("public, max-age=300");
  const { keys } = (await response.json()) as { keys: object[] };
  expect(keys).toHaveLength(1);
  expect(keys[0]).toMatchObject({ kty: "OKP", crv: "Ed25519" });
  expect(keys[0]).not.toHaveProperty("d");
});

test("stellar.toml is plain text for everyone", async () => {
  const { send, wallet } = await startHttp();
  const response = await send("GET", "/.well-known/stellar.toml");
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(await response.text()).toContain(`SIGNING_KEY="${wallet.signingKey}"`);
});
