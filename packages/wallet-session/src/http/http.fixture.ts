import { randomBytes } from "node:crypto";
import { contractOf, documentedFetch } from "../../test/contract.ts";
import { cookieNames } from "../cookie-names.ts";
import type { SessionEngineOptions } from "../engine/create-session-engine.ts";
import { ISSUER, startEngine } from "../engine/engine.fixture.ts";
import type { SessionId } from "../session-id.ts";
import type { SessionStore } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { createStellarWallet, masterKeyOnly } from "../wallets/stellar.ts";
import { createHandlers } from "./create-handlers.ts";
import type { HandlersOptions } from "./handlers.ts";

export const PASSPHRASE = "Test SDF Network ; September 2015";
const SERVER = createWalletKeypair(new Uint8Array(32).fill(7));
const PUBLIC_URL = new URL(ISSUER);
export const COOKIES = cookieNames("ws");

/** The tokens and other members of an answer. Absent ones are undefined, so a test that needs one fails on it. */
export interface Answer {
  readonly token: string;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly session_id: SessionId;
  readonly [member: string]: unknown;
}

export interface SendOptions {
  readonly headers?: Record<string, string>;
  /** An object goes as JSON; a string, bytes or a stream as it is. */
  readonly body?: object | string | Uint8Array | ReadableStream<Uint8Array>;
}

interface HttpOptions extends Partial<Omit<HandlersOptions, "engine">> {
  readonly store?: SessionStore;
  readonly engineOptions?: Partial<SessionEngineOptions>;
}

/**
 * The real handlers on a real engine, store and wallet. Rate limits are off unless asked for. An answer of their `fetch` that
 * is not as the OpenAPI document says rejects.
 */
export async function startHttp(options: HttpOptions = {}) {
  const { store: givenStore, engineOptions = {}, ...handlersOptions } = options;
  const store = watchStore(givenStore ?? createMemoryStore());
  const running = await startEngine(store.watched, engineOptions);
  const { engine, clock } = running;
  const wallet = createStellarWallet({
    signingSeed: SERVER.seed,
    networkPassphrase: PASSPHRASE,
    homeDomain: PUBLIC_URL.host,
    webAuthDomain: PUBLIC_URL.host,
    webAuthEndpoint: `${ISSUER}/api/auth/wallet`,
    accountSigners: masterKeyOnly,
    clock,
    random: randomBytes,
  });
  const faults: unknown[] = [];
  const made = createHandlers({
    engine,
    wallet,
    publicUrl: PUBLIC_URL,
    clock,
    rateLimit: false,
    onFault: (error) => faults.push(error),
    ...handlersOptions,
  });
  const { wallet: other = wallet, metrics, introspectionClients } = handlersOptions;
  const hasMetrics = metrics !== undefined;
  const documented = {
    basePath: made.basePath,
    takes: other.takes,
    hasToml: "wellKnown" in other,
    hasMetrics,
    hasClients: introspectionClients !== undefined,
  };
  const handlers = { ...made, fetch: documentedFetch(() => contractOf(documented), made.fetch) };

  const send = (method: string, path: string, sent: SendOptions = {}) =>
    handlers.fetch(createRequest(method, path, sent));

  /** The body that answers a fresh challenge for the key. */
  async function answerFor(key = createWalletKeypair()) {
    const challenge = await send("GET", `/api/auth/wallet?account=${key.account}`);
    const { transaction, network_passphrase } = await readJson(challenge);
    return { transaction: key.sign({ transaction, network_passphrase } as Parameters<typeof key.sign>[0]) };
  }

  async function signIn(key = createWalletKeypair()): Promise<Answer> {
    const response = await send("POST", "/api/auth/wallet", { body: await answerFor(key) });
    if (response.status !== 200) throw new Error(`sign-in answered ${response.status}`);
    return readJson(response);
  }

  /** A browser with a jar of its own that has signed in by cookie. */
  async function browser(key = createWalletKeypair()) {
    const jar = createBrowser(handlers.fetch);
    const response = await jar.send("POST", "/api/auth/wallet", {
      body: await answerFor(key),
      headers: { "Session-Transport": "cookie" },
    });
    if (response.status !== 200) throw new Error(`sign-in answered ${response.status}`);
    return Object.assign(jar, { key, sessionId: (await readJson(response)).session_id });
  }

  return { ...running, store, handlers, wallet, faults, send, answerFor, signIn, browser };
}

export type TestHttp = Awaited<ReturnType<typeof startHttp>>;

export function createRequest(
  method: string,
  path: string,
  { headers = {}, body }: SendOptions = {},
): Request {
  const raw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
  const type: Record<string, string> =
    body === undefined || raw ? {} : { "Content-Type": "application/json" };
  return new Request(new URL(path, PUBLIC_URL), {
    method,
    headers: { ...type, ...headers },
    ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as BodyInit, duplex: "half" }),
  });
}

export async function readJson(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

/** Status and code of a problem, and that it is one in full. */
export async function problemOf(response: Response): Promise<string> {
  const body = await readJson(response.clone());
  const whole =
    /^application\/(problem\+)?json$/.test(response.headers.get("content-type") ?? "") &&
    response.headers.get("cache-control") === "no-store" &&
    body.status === response.status &&
    typeof body.type === "string" &&
    typeof body.title === "string" &&
    typeof body.detail === "string" &&
    body.error === body.detail;
  return whole ? `${response.status} ${body.code}` : `not a whole problem: ${JSON.stringify(body)}`;
}

/** Keeps cookies as a browser does, by name and path; its requests come from a page of the site. */
function createBrowser(fetch: (request: Request) => Promise<Response>) {
  const cookies = new Map<string, string>();

  function cookieHeader(path: string): Record<string, string> {
    const sent = [...cookies].filter(([name]) => name !== COOKIES.refresh || path.startsWith("/api/auth"));
    return sent.length === 0 ? {} : { Cookie: sent.map(([name, value]) => `${name}=${value}`).join("; ") };
  }

  function keep(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = "", maxAge = ""] = /^([^=]+)=([^;]*); Max-Age=(\d+);/.exec(line) ?? [];
      if (maxAge === "0") cookies.delete(name);
      else cookies.set(name, value);
    }
  }

  return {
    cookies,
    /** The request as it leaves the browser now, to be sent later. */
    prepare(method: string, path: string, { headers = {}, body }: SendOptions = {}): Request {
      const all = { "Sec-Fetch-Site": "same-origin", ...cookieHeader(path), ...headers };
      return createRequest(method, path, { headers: all, ...(body === undefined ? {} : { body }) });
    },
    async send(method: string, path: string, sent: SendOptions = {}): Promise<Response> {
      const response = await fetch(this.prepare(method, path, sent));
      keep(response);
      return response;
    },
    keep,
  };
}

export type Browser = ReturnType<typeof createBrowser>;

/** Passes every step on to the real store, notes it, and fails it on demand. */
function watchStore(store: SessionStore) {
  const steps: string[] = [];
  const sessionIds = new Set<SessionId>();
  const state = { failing: false };
  const watched = new Proxy(store, {
    get(target, name: keyof SessionStore) {
      // A test says itself when another node's news arrives.
      if (name === "watchRevocations") return () => () => {};
      const step = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => {
        steps.push(name);
        if (state.failing) return Promise.reject(new Error("the disk is gone"));
        if (name === "createSession") sessionIds.add((args[0] as { id: SessionId }).id);
        return step(...args);
      };
    },
  });

  /** Everything that a request could have written. */
  async function snapshot(): Promise<string> {
    const sessions = await Promise.all([...sessionIds].map((id) => store.findSession(id)));
    return JSON.stringify([sessions, await store.revocationsAfter(0, 1_000), await store.signingKeys()]);
  }

  return Object.assign(state, { watched, real: store, steps, snapshot });
}
