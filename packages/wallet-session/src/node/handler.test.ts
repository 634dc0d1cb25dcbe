import { createServer, get, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import middie from "@fastify/middie";
import express from "express";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createTestKey, type DpopClaims, dpopProof, hashOf } from "../../test/proofs.ts";
import { createSessionClient } from "../client.ts";
import { createSessions, type Sessions } from "../server/sessions.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { nodeGuard, nodeHandler, nodePageGuard } from "./handler.ts";

const ORIGIN = "http://localhost:3000";
const WALLET = "/api/auth/wallet";
const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

const ENV = {
  DATABASE_URL: "memory:",
  AUTH_SECRET: "a secret of the tests here that is long enough",
  STELLAR_SIGNING_SEED: createWalletKeypair(new Uint8Array(32).fill(7)).seed,
  LOG_LEVEL: "silent",
  RATE_LIMIT: "off",
  TRUSTED_ORIGINS: "http://localhost:4000",
};

let sessions: Sessions;
let faults: string[];

beforeEach(() => {
  faults = [];
  sessions = createSessions({ env: ENV });
});

afterEach(() => sessions.close());

async function listen(listener: RequestListener | Server): Promise<string> {
  const server = typeof listener === "function" ? createServer(listener) : listener;
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function fastify(mount: (app: FastifyInstance) => Promise<void> | void): Promise<string> {
  const app = Fastify();
  await mount(app);
  onTestFinished(() => app.close());
  return app.listen({ port: 0, host: "127.0.0.1" });
}

function expressApp(mount: (app: express.Express) => void): Promise<string> {
  const app = express();
  mount(app);
  const guard = nodeGuard(sessions);
  app.get("/mine", (request, response, next) => {
    guard(request).then(({ actorId }) => response.send(actorId), next);
  });
  app.use(((error, _request, response, _next) => {
    faults.push(error.code ?? error.message);
    response.status(error.status ?? 500).end();
  }) satisfies express.ErrorRequestHandler);
  return listen(app);
}

const handler = () => nodeHandler(sessions);

const SERVERS: [name: string, start: () => Promise<string>][] = [
  ["node:http", () => listen(handler())],
  ["Express", () => expressApp((app) => app.use(handler()))],
  [
    "Express behind its parsers",
    () => expressApp((app) => app.use(express.json(), express.urlencoded({ extended: true }), handler())),
  ],
  [
    "Express behind parsers of bytes and texts",
    () =>
      expressApp((app) =>
        app.use(express.raw({ type: JSON_TYPE }), express.text({ type: FORM_TYPE }), handler()),
      ),
  ],
  [
    "Express below a prefix",
    () => expressApp((app) => app.use(express.json(), express.urlencoded()).use("/api/auth", handler())),
  ],
  [
    "a router of Express",
    () => expressApp((app) => app.use("/api", express.Router().use("/auth", handler()))),
  ],
  ["a route of Express", () => expressApp((app) => app.all("/api/auth/*path", express.json(), handler()))],
  [
    "a parser that keeps the bytes",
    () =>
      expressApp((app) =>
        app.use(
          express.json({ verify: (request, _, bytes) => Object.assign(request, { rawBody: bytes }) }),
          express.urlencoded({ verify: (request, _, bytes) => Object.assign(request, { rawBody: bytes }) }),
          handler(),
        ),
      ),
  ],
  [
    "a route of Fastify",
    () =>
      fastify((app) => {
        app.addContentTypeParser(FORM_TYPE, { parseAs: "string" }, (_request, text, done) =>
          done(null, text),
        );
        app.all("/api/auth/*", (request, reply) => {
          reply.hijack();
          return handler()(request.raw, reply.raw);
        });
      }),
  ],
  [
    "Fastify without its parsers",
    () =>
      fastify((app) => {
        app.removeAllContentTypeParsers();
        app.addContentTypeParser("*", (_request, _payload, done) => done(null));
        app.all("/api/auth/*", (request, reply) => {
          reply.hijack();
          return handler()(request.raw, reply.raw);
        });
      }),
  ],
  [
    "middleware of Fastify",
    () =>
      fastify(async (app) => {
        await app.register(middie);
        app.use("/api/auth", handler());
      }),
  ],
];

describe.each(SERVERS)("%s", (_, start) => {
  test("signs in, refreshes and signs out by body, in JSON and as a form", async () => {
    const url = await start();
    for (const encode of [asJson, asForm]) {
      const post = async (path: string, body: Record<string, string>) =>
        fetch(url + path, { method: "POST", ...encode(body) });
      const wallet = createWalletKeypair();
      const asked = await fetch(`${url}${WALLET}?account=${wallet.account}`);
      const { refresh_token } = await (
        await post(WALLET, { transaction: wallet.sign(await asked.json()) })
      ).json();
      const refreshed = await (await post("/api/auth/refresh", { refresh_token })).json();
      const headers = { authorization: `Bearer ${refreshed.access_token}` };
      const { actor_id } = await (await fetch(`${url}/api/auth/session`, { headers })).json();
      expect(actor_id).toBe(wallet.account);
      const gone = await post("/api/auth/logout", { refresh_token: refreshed.refresh_token });
      expect(gone.status).toBe(204);
      expect((await fetch(`${url}/api/auth/session`, { headers })).status).toBe(401);
      expect((await post("/api/auth/refresh", { refresh_token: refreshed.refresh_token })).status).toBe(401);
    }
  });

  test("signs in and refreshes by cookie, and streams the session's events", async () => {
    const url = await start();
    const jar = cookieJar(url);
    const { account, sign } = createWalletKeypair();
    const client = createSessionClient({ basePath: `${url}/api/auth`, fetch: jar.fetch });
    expect((await client.signIn({ account, sign })).status).toBe("signed-in");
    const abort = new AbortController();
    const events = await jar.fetch(`${url}/api/auth/events`, { signal: abort.signal });
    const reader = events.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("retry:");
    expect(sessions.handlers.eventStreamCount()).toBe(1);
    // The jar is young: it is left as it is.
    expect((await client.refresh()).status).toBe("signed-in");
    abort.abort();
    await expect.poll(() => sessions.handlers.eventStreamCount()).toBe(0);
    const head = await jar.fetch(`${url}/api/auth/session`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await client.signOut()).status).toBe("signed-out");
    expect(jar.cookies()).toBe("");
  });

  test("binds a session to a DPoP key: proofs speak of the public address", async () => {
    const url = await start();
    const client = await dpopClient(url);
    const { session_id } = await (await client.send("GET", "/api/auth/session")).json();
    const refreshed = await client.send("POST", "/api/auth/refresh", { refresh_token: client.refreshToken });
    expect(await refreshed.json()).toMatchObject({ token_type: "DPoP", session_id });
    const mine = "/api/auth/session";
    expect((await client.send("GET", mine, undefined, { htu: url + mine })).status).toBe(401);
  });

  test("refuses what is no such body", async () => {
    const url = await start();
    for (const [type, body, status] of [
      [JSON_TYPE, '{"refresh_token":1}', 400],
      [JSON_TYPE, "[]", 400],
      [FORM_TYPE, "refresh_token=a&refresh_token=b", 400],
      [JSON_TYPE, "{}", 401],
    ] as const) {
      const sent = { method: "POST", headers: { "content-type": type }, body };
      const { status: got } = await fetch(`${url}/api/auth/refresh`, sent);
      expect([type, body, got]).toEqual([type, body, status]);
    }
  });
});

/** Signs in with a key, and proves it in each request. The server is elsewhere than its public address, as behind a proxy. */
async function dpopClient(url: string) {
  const key = createTestKey();
  const wallet = createWalletKeypair();
  const asked = await fetch(`${url}${WALLET}?account=${wallet.account}`);
  const signedIn = await fetch(url + WALLET, {
    method: "POST",
    headers: { "content-type": JSON_TYPE, dpop: dpopProof(key, { htu: ORIGIN + WALLET }) },
    body: JSON.stringify({ transaction: wallet.sign(await asked.json()) }),
  });
  const nonce = signedIn.headers.get("dpop-nonce");
  const { access_token, refresh_token } = await signedIn.json();
  const headersOf = (method: string, path: string, claims: DpopClaims = {}) => {
    const htu = ORIGIN + path.replace(/\?.*/, "");
    const proof = { htm: method, htu, ath: hashOf(access_token), nonce, ...claims };
    return { authorization: `DPoP ${access_token}`, dpop: dpopProof(key, proof) };
  };
  return {
    key,
    refreshToken: refresh_token as string,
    headersOf,
    send: (method: string, path: string, body?: object, claims?: DpopClaims) =>
      fetch(url + path, {
        method,
        headers: { ...headersOf(method, path, claims), "content-type": JSON_TYPE },
        ...(body && { body: JSON.stringify(body) }),
      }),
  };
}

function asJson(body: object) {
  return { headers: { "content-type": JSON_TYPE }, body: JSON.stringify(body) };
}

function asForm(body: Record<string, string>) {
  return { headers: { "content-type": FORM_TYPE }, body: new URLSearchParams(body).toString() };
}

/** `fetch` with the cookies of a page of the service. */
function cookieJar(url: string) {
  const kept = new Map<string, string>();
  const cookies = () => [...kept].map((pair) => pair.join("=")).join("; ");
  return {
    cookies,
    async fetch(input: string | URL | Request, init: RequestInit = {}) {
      const headers = new Headers(init.headers);
      headers.set("origin", ORIGIN);
      headers.set("cookie", cookies());
      const response = await fetch(String(input).replace(/^\/(?!\/)/, `${url}/`), { ...init, headers });
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = "", maxAge] = /^([^=]+)=([^;]*); Max-Age=(\d+)/.exec(line) ?? [];
        if (maxAge === "0") kept.delete(name);
        else kept.set(name, value);
      }
      return response;
    },
  };
}

test("other paths go on to what comes next; where nothing does, they are 404", async () => {
  const bare = await listen(handler());
  const inApp = await expressApp((app) => app.use(express.json(), handler()));
  const headers = { authorization: `Bearer ${await accessTokenOf(bare)}` };
  expect(await (await fetch(`${inApp}/mine`, { headers })).text()).toMatch(/^G/);
  for (const path of ["/", "/api", "/api/auth/nothing", "//api/auth/session"]) {
    const answer = await fetch(bare + path);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    expect((await fetch(inApp + path)).headers.get("content-type")).toContain("text/html");
  }
  expect((await fetch(`${inApp}/.well-known/jwks.json`)).status).toBe(200);
});

test("below a base path of its own, an app keeps the paths that end like ours; where a proxy cuts some off, a mount says so", async () => {
  const shop = createSessions({ env: { ...ENV, AUTH_BASE_PATH: "/shop/api/auth" } });
  onTestFinished(() => shop.close());
  const middleware = nodeHandler(shop);
  const mine: express.RequestHandler = (_, response) => void response.send("mine");
  const inApp = await expressApp((app) =>
    app.use("/api/auth", middleware).use(middleware).get("/auth/session", mine),
  );
  const inNode = await listen((request, response) =>
    middleware(request, response, () => response.end("mine")),
  );
  const codeAt = async (url: string) => {
    const text = await (await fetch(url)).text();
    return text === "mine" ? text : JSON.parse(text).code;
  };
  for (const path of ["/shop/api/auth/session", "/api/auth/session"]) {
    expect(await codeAt(inApp + path)).toBe("access_token_missing");
  }
  expect(await codeAt(`${inApp}/auth/session`)).toBe("mine");
  expect(await codeAt(`${inNode}/shop/api/auth/session/`)).toBe("access_token_missing");
  for (const path of ["/api/auth/session", "/auth/session"]) expect(await codeAt(inNode + path)).toBe("mine");
  expect((await fetch(`${inApp}/api/healthz`)).status).toBe(200);
});

test("the guard says who asks, by token or cookie, or rejects as the guard does", async () => {
  const url = await expressApp((app) => app.use(handler()));
  expect((await fetch(`${url}/mine`)).status).toBe(401);
  expect((await fetch(`${url}/mine`, { headers: { authorization: "Bearer x.y.z" } })).status).toBe(401);
  expect(faults).toEqual(["access_token_missing", "access_token_invalid"]);
});

test("the guard takes a DPoP token below a prefix that a router cuts, and where two proofs come, none", async () => {
  const guard = nodeGuard(sessions);
  const url = await expressApp((app) => {
    app.use(handler());
    const router = express.Router().get("/boats", (request, response, next) => {
      guard(request).then(({ thumbprint }) => response.send(thumbprint), next);
    });
    app.use("/shop", router);
  });
  const client = await dpopClient(url);
  expect(await (await client.send("GET", "/shop/boats?page=1")).text()).toBe(client.key.thumbprint);
  expect((await client.send("GET", "/shop/boats", undefined, { htu: `${ORIGIN}/boats` })).status).toBe(401);
  const { authorization, dpop } = client.headersOf("GET", "/shop/boats");
  const { statusCode } = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/shop/boats`, { headers: { authorization, dpop: [dpop, dpop] } }, resolve).on("error", reject);
  });
  expect(statusCode).toBe(401);
  expect(faults).toEqual(["proof_invalid", "proof_invalid"]);
});

test("the guard starts the sessions, and takes the headers that came, whatever a framework made of them", async () => {
  const url = await expressApp(() => {});
  expect((await fetch(`${url}/mine`)).status).toBe(401);
  expect(faults).toEqual(["access_token_missing"]);
});

test("the guard of pages says who loads a page, or sends the load through the bounce, and starts the sessions", async () => {
  const url = await expressApp((app) => {
    const guardPage = nodePageGuard(sessions, { signInPath: "/sign-in" });
    app.get("/account", async (request, response) => {
      const who = await guardPage(request, response);
      if (who !== null) response.send(who.actorId);
    });
    app.use("/api/auth", handler());
  });
  const load = (headers: Record<string, string>) =>
    fetch(`${url}/account?tab=1`, {
      redirect: "manual",
      headers: { "sec-fetch-dest": "document", ...headers },
    });
  const away = await load({});
  expect([away.status, await away.text()]).toEqual([303, ""]);
  expect(away.headers.get("location")).toBe(
    "/api/auth/refresh?next=%2Faccount%3Ftab%3D1&else=%2Fsign-in%3Fnext%3D%252Faccount%253Ftab%253D1",
  );
  expect(away.headers.getSetCookie()).toHaveLength(1);
  const authorization = `Bearer ${await accessTokenOf(url)}`;
  expect(await (await load({ authorization })).text()).toMatch(/^G/);
  expect((await load({ "sec-purpose": "prefetch" })).status).toBe(401);
  expect(faults).toEqual(["access_token_missing"]);
});

test("a body that something has read and not kept is said, not waited for", async () => {
  const url = await listen((request, response) => {
    request.resume().once("end", () => void handler()(request, response));
  });
  const answer = await fetch(`${url}/api/auth/refresh`, { method: "POST", body: "{}" });
  expect([answer.status, (await answer.json()).detail]).toEqual([
    500,
    expect.stringContaining("read before"),
  ]);
});

test("settings that cannot be used go to the error handler", async () => {
  const broken = createSessions({ env: { AUTH_SECRET: "short", LOG_LEVEL: "silent" } });
  const url = await expressApp((app) => app.use(nodeHandler(broken)));
  expect((await fetch(`${url}/api/auth/session`)).status).toBe(500);
  expect(faults[0]).toMatch(/AUTH_SECRET/);
  await expect(fetch(`${await listen(nodeHandler(broken))}/api/auth/session`)).rejects.toThrow();
});

test("headers and cookies of middleware in front stay", async () => {
  const url = await expressApp((app) =>
    app.use((_request, response, next) => {
      response.setHeader("X-Frame-Options", "DENY");
      response.cookie("theirs", "1").vary("Accept-Encoding");
      next();
    }, handler()),
  );
  const wallet = createWalletKeypair();
  const { transaction } = {
    transaction: wallet.sign(await (await fetch(`${url}${WALLET}?account=${wallet.account}`)).json()),
  };
  const answer = await fetch(url + WALLET, {
    method: "POST",
    headers: { "content-type": JSON_TYPE, "session-transport": "cookie", origin: ORIGIN },
    body: JSON.stringify({ transaction }),
  });
  expect(answer.headers.get("x-frame-options")).toBe("DENY");
  expect(answer.headers.get("vary")).toBe("Accept-Encoding, Origin");
  expect(answer.headers.getSetCookie()).toHaveLength(5);
  expect(answer.headers.getSetCookie()[0]).toMatch(/^theirs=1/);
});

async function accessTokenOf(url: string): Promise<string> {
  const wallet = createWalletKeypair();
  const asked = await fetch(`${url}${WALLET}?account=${wallet.account}`);
  const signed = { transaction: wallet.sign(await asked.json()) };
  return (await (await fetch(url + WALLET, { method: "POST", ...asJson(signed) })).json()).access_token;
}
