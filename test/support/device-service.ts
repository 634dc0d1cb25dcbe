// A small service whose pages have no script at all, in this process, so that a test can make its store fail and its device refresh
// be away.
import { createServer } from "node:http";
import { afterAll, beforeAll } from "vitest";
import {
  createSessionEngine,
  type SessionEngine,
  type SessionEvent,
  type SessionStore,
} from "wallet-session";
import { createHandlers, type HandlersOptions } from "wallet-session/http";
import { createMemoryStore } from "wallet-session/stores/memory";
import { createWalletKeypair } from "wallet-session/testing";
import { createStellarWallet, masterKeyOnly } from "wallet-session/wallets/stellar";
import { answer } from "../../packages/wallet-session/src/node/handler.ts";

const PASSPHRASE = "Test SDF Network ; September 2015";

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly hasAccess: boolean;
  readonly skipped: string | null;
}

export interface DeviceService {
  readonly origin: string;
  readonly engine: SessionEngine;
  readonly events: readonly SessionEvent[];
  readonly seen: readonly SeenRequest[];
  readonly state: { storeFails: boolean; refreshIsAway: boolean };
  close(): Promise<void>;
}

/** Fails on demand, as a store that is out of reach. */
function failing(store: SessionStore, state: DeviceService["state"]): SessionStore {
  return new Proxy(store, {
    get(target, name: keyof SessionStore) {
      const step = target[name].bind(target) as (...args: unknown[]) => unknown;
      const isSync = name === "watchRevocations" || name === "close";
      return (...args: unknown[]) =>
        state.storeFails && !isSync ? Promise.reject(new Error("the disk is gone")) : step(...args);
    },
  });
}

/** Starts one on a free port, with the short lives that a test waits for. */
async function startDeviceService(
  accessTtlMs: number,
  { deviceBinding = "offer" }: Pick<HandlersOptions, "deviceBinding"> = {},
): Promise<DeviceService> {
  const state = { storeFails: false, refreshIsAway: false };
  const events: SessionEvent[] = [];
  const seen: SeenRequest[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const origin = `http://localhost:${port}`;
  const engine = createSessionEngine({
    store: failing(createMemoryStore(), state),
    secrets: ["a secret of the tests that is long enough to be one"],
    issuer: origin,
    accessTtlMs,
    onEvent: (event) => events.push(event),
  });
  await engine.start();
  const wallet = createStellarWallet({
    signingSeed: createWalletKeypair().seed,
    networkPassphrase: PASSPHRASE,
    homeDomain: `localhost:${port}`,
    webAuthEndpoint: `${origin}/api/auth/wallet`,
    accountSigners: masterKeyOnly,
  });
  const handlers = createHandlers({
    engine,
    wallet,
    publicUrl: new URL(origin),
    rateLimit: false,
    deviceBinding,
  });
  const upload = handlers.endpoint("/upload", {
    async POST(request) {
      const { sessionId } = await handlers.guard(request);
      return Response.json({ sessionId, bytes: (await request.arrayBuffer()).byteLength });
    },
  });
  const feed = handlers.endpoint("/feed", {
    async GET(request) {
      return handlers.eventStream(request, await handlers.guard(request));
    },
  });

  async function respond(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (handlers.serves(pathname)) return handlers.fetch(request);
    if (pathname === "/upload") return upload(request);
    if (pathname === "/feed") return feed(request);
    if (pathname === "/sign-in") return page("Sign in", "");
    if (pathname !== "/account") return new Response(null, { status: 404 });
    const session = await handlers.guardPage(request, { signInPath: "/sign-in" });
    return session instanceof Response ? session : page("Account", session.sessionId);
  }

  async function fetch(request: Request): Promise<Response> {
    const response = await respond(request).catch(handlers.problem);
    const { pathname, search } = new URL(request.url);
    seen.push({
      method: request.method,
      path: pathname + search,
      status: response.status,
      hasAccess: (request.headers.get("cookie") ?? "").includes("_access="),
      skipped: request.headers.get("secure-session-skipped"),
    });
    return response;
  }

  server.on("request", (incoming, outgoing) => {
    if (state.refreshIsAway && incoming.url === "/api/auth/device/refresh") {
      incoming.socket.destroy();
      return;
    }
    void answer({ fetch, problem: handlers.problem, origin }, incoming, outgoing).catch(() =>
      outgoing.destroy(),
    );
  });

  return {
    origin,
    engine,
    events,
    seen,
    state,
    async close() {
      handlers.closeEventStreams();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await engine.close();
    },
  };
}

function page(title: string, text: string): Response {
  const html = `<!doctype html><html lang="en"><title>${title}</title><link rel="icon" href="data:,"><h1>${title}</h1><p>${text}</p></html>`;
  return new Response(html, { headers: { "Content-Type": "text/html", "Cache-Control": "no-store" } });
}

/** One for all tests of the calling file. Not to be read before the tests run. */
export function deviceServiceUnderTest(accessTtlMs: number): () => DeviceService {
  let service: DeviceService | null = null;
  beforeAll(async () => {
    service = await startDeviceService(accessTtlMs);
  });
  afterAll(async () => service?.close());
  return () => {
    if (service === null) throw new Error("The service has not been started yet.");
    return service;
  };
}
