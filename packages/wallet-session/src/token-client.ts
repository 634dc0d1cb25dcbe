import { isReplayable } from "./client/cured-fetch.ts";
import type { Fetch } from "./client/endpoints.ts";
import type { SessionState } from "./client/known-session.ts";
import { isCurable, problemCode } from "./client/problem.ts";
import { startOnce } from "./client/start-once.ts";
import { createDpopKeys, type KeptNonce, sendProven } from "./token-client/dpop.ts";
import type { DpopKeyStorage } from "./token-client/dpop-key.ts";
import { programEnvironment, type TokenClientEnvironment } from "./token-client/environment.ts";
import type { HeldSession } from "./token-client/held-session.ts";
import { createTokenKeeper } from "./token-client/keeper.ts";
import type { SignIn } from "./token-client/sign-in.ts";
import type { TokenStorage } from "./token-client/storage.ts";

export { type EndReason, type TerminalCode, terminalCode } from "./client/end-reason.ts";
export type { Challenge, Fetch } from "./client/endpoints.ts";
export type { SessionState } from "./client/known-session.ts";
export { errorOf, isCurable, type ProblemCode, SessionClientError } from "./client/problem.ts";
export { type DpopKeyPair, type DpopKeyStorage, indexedDbKey, memoryKey } from "./token-client/dpop-key.ts";
export type { TokenClientEnvironment } from "./token-client/environment.ts";
export { type SignIn, type SignInEndpoints, stellarSignIn } from "./token-client/sign-in.ts";
export { memoryStorage, oneByOne, type TokenStorage } from "./token-client/storage.ts";

export interface TokenClientOptions {
  /** Where the auth endpoints are mounted, such as `https://pay.example.com/api/auth`. */
  readonly url: string | URL;
  /** Where the session is kept: {@link memoryStorage}, `fileStorage` of `wallet-session/node`, or one of your own. */
  readonly storage: TokenStorage;
  /**
   * Signs in wherever there is no session, before a request is sent. Without it, requests go without a token until
   * {@link TokenClient.signIn} is called.
   * @default none
   */
  readonly signIn?: SignIn;
  /**
   * Binds each new session to a key of this program (DPoP, RFC 9449), which it proves at each refresh and request: a copy of the
   * tokens alone is worth nothing. Where the key is lost, the next use signs in anew. A session that is held already
   * stays as it was signed in.
   * @default sessions are bound to no key
   */
  readonly dpop?: DpopOptions;
  /**
   * Origins, besides that of `url`, that {@link TokenClient.fetch} sends the access token to.
   * @default none
   */
  readonly origins?: readonly string[];
  /**
   * After a refresh, in milliseconds: so long another one is not asked for while the access token is good. A proxy that
   * repeats a request does so within this time.
   * @default 10_000
   */
  readonly restMs?: number;
  /**
   * Sends every request.
   * @default the global `fetch`
   */
  readonly fetch?: Fetch;
  /**
   * Parts of the program to replace: clock, timers, chance. For tests.
   * @default the program itself
   */
  readonly environment?: Partial<TokenClientEnvironment>;
}

export interface DpopOptions {
  /** Where the key is kept: {@link memoryKey}, {@link indexedDbKey}, or `fileKey` of `wallet-session/node`. */
  readonly key: DpopKeyStorage;
  /** The key is proved at refreshes alone, for services that take bearer tokens only. @default false */
  readonly refreshOnly?: boolean;
}

/** The session of a program that keeps its own tokens. Made by {@link createTokenClient}. */
export interface TokenClient {
  /** What this client knows. `unknown` until it has looked into its storage. */
  readonly state: SessionState;

  /** Calls `listener` with each new state, but not with the present one. The function returned unsubscribes it. */
  subscribe(listener: (state: SessionState) => void): () => void;

  /**
   * Renews in the background, at 60 to 80 % of each access token's life, and never signs in. For programs that keep an event
   * stream open. The function returned stops it. A second call while it runs starts nothing.
   */
  start(): () => void;

  /**
   * `fetch` with the access token, renewed first if it has ended. A 401 that another access token can cure is cured, and the
   * request sent once more, once at most: such a 401 comes before any effect. A body that is a stream is sent only once.
   * Relative addresses are those of `url`'s origin. Other origins get the request as it is, without the token.
   * @throws what `fetch` throws; {@link SessionClientError} when a renewal was not decided: the session is then as it was
   * @example
   * ```ts
   * import { createTokenClient, stellarSignIn } from "wallet-session/token-client";
   * import { fileStorage } from "wallet-session/node";
   *
   * declare const wallet: { address: string; sign(xdr: string, networkPassphrase: string): Promise<string> };
   * export const client = createTokenClient({
   *   url: "https://pay.example.com/api/auth",
   *   storage: fileStorage("./session.json"),
   *   signIn: stellarSignIn(wallet.address, ({ transaction, networkPassphrase }) =>
   *     wallet.sign(transaction, networkPassphrase),
   *   ),
   * });
   * console.log((await client.fetch("/api/streams")).status);
   * ```
   */
  readonly fetch: Fetch;

  /**
   * An access token that is good for `minTtlMs` more, or was given less than `restMs` ago, for requests that
   * {@link TokenClient.fetch} does not send; null where there is no session. Concurrent calls share one refresh, also with those of other programs that share the storage.
   * @param minTtlMs milliseconds, by default 5,000
   * @throws {@link SessionClientError} when nothing was decided; the session is then as it was
   */
  accessToken(minTtlMs?: number): Promise<string | null>;

  /**
   * Renews now, unless that was done less than `restMs` ago. With `signIn`, signs in where there is no session; without, the
   * way to learn whether one still stands.
   * @throws {@link SessionClientError} when nothing was decided; the session is then as it was
   */
  refresh(): Promise<SessionState>;

  /**
   * Signs in, whatever was held before, which goes on at the server.
   * @param by by default the option `signIn`
   * @throws {@link SessionClientError}, and what `by` throws; an earlier session then stays as it was
   */
  signIn(by?: SignIn): Promise<SessionState>;

  /**
   * Ends the session at the server and empties the storage.
   * @throws {@link SessionClientError} when the server could not be told; the session is then still there
   */
  signOut(): Promise<SessionState>;
}

const MIN_TTL_MS = 5_000;

/**
 * Makes the client of a program that keeps its own tokens: Node, a command line, React Native, a page of another origin. It
 * sends nothing before a method is called. It refreshes one at a time, stores the retry key before it is sent and each token
 * before it is used, so that no crash and no lost answer costs another signature.
 *
 * Does NOT protect the storage: who reads it has the session.
 * @example
 * ```ts
 * import { createTokenClient, memoryStorage } from "wallet-session/token-client";
 *
 * export const client = createTokenClient({ url: "https://pay.example.com/api/auth", storage: memoryStorage() });
 * client.subscribe((state) => console.log(state.status));
 * ```
 */
export function createTokenClient(options: TokenClientOptions): TokenClient {
  const { signIn, restMs = 10_000, storage, dpop } = options;
  const send: Fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const url = String(options.url).replace(/\/$/, "");
  const { origin } = new URL(url);
  const origins = new Set([origin, ...(options.origins ?? [])]);
  const environment = { ...programEnvironment(), ...options.environment };
  const keys = dpop === undefined ? null : createDpopKeys(dpop.key);
  const keeper = createTokenKeeper({
    url,
    storage,
    signIn,
    restMs,
    send,
    dpop: keys && { keys, refreshOnly: dpop?.refreshOnly ?? false },
    environment,
  });
  /** By origin. */
  const nonces = new Map<string, KeptNonce>();

  /** Sends with the access token, and with a proof where the token is bound to a key. */
  async function sendAs(
    held: HeldSession | null,
    request: Request | URL,
    init?: RequestInit,
  ): Promise<Response> {
    const bound = held?.bound;
    const key = bound?.scheme === "DPoP" ? await keys?.find(bound.thumbprint) : null;
    if (held === null || !key) return send(request, bearing(held, request, init));
    const isRequest = request instanceof Request;
    const target = new URL(isRequest ? request.url : request);
    // As `fetch` will spell it.
    const method = init?.method ?? (isRequest ? request.method : "GET");
    const subject = { method: new Request(target, { method }).method, url: target.href };
    const { accessToken } = held;
    const kept = nonces.get(target.origin) ?? { nonce: null };
    nonces.set(target.origin, kept);
    return sendProven(
      kept,
      (nonce) => key.proof({ ...subject, accessToken, nonce, now: environment.now() }),
      (proof) => send(isRequest ? request.clone() : request, bearing(held, request, init, proof)),
      isReplayable(init?.body),
    );
  }

  async function curedFetch(input: Parameters<Fetch>[0], init?: RequestInit): Promise<Response> {
    const request = input instanceof Request ? input : new URL(input, origin);
    const target = request instanceof Request ? new URL(request.url) : request;
    if (!origins.has(target.origin)) return send(request, init);

    const again = request instanceof Request ? request.clone() : request;
    const held = await keeper.goodFor(MIN_TTL_MS);
    const response = await sendAs(held, request, init);
    const code = response.status === 401 ? await problemCode(response.clone()) : undefined;
    if (!isCurable(code)) return response;
    const isAnother = (one: HeldSession) => one.accessToken !== held?.accessToken;
    // A newer token does not cure one this new; of an ended session, the refresh endpoint knows more.
    const newerHelps = (one: HeldSession) => code === "session_revoked" || !keeper.isFresh(one);
    const renewed = await keeper.renew((one) => isAnother(one) || !newerHelps(one)).catch(() => null);
    if (renewed === null || !isAnother(renewed) || !isReplayable(init?.body)) return response;
    await response.body?.cancel();
    return sendAs(renewed, again, init);
  }

  return {
    get state() {
      return keeper.state();
    },
    subscribe: keeper.subscribe,
    start: startOnce(keeper.start),
    fetch: curedFetch,
    accessToken: async (minTtlMs = MIN_TTL_MS) => (await keeper.goodFor(minTtlMs))?.accessToken ?? null,
    async refresh() {
      await keeper.refresh();
      return keeper.state();
    },
    async signIn(by = signIn) {
      if (by === undefined) throw new TypeError("createTokenClient was given no signIn.");
      await keeper.signIn(by);
      return keeper.state();
    },
    async signOut() {
      await keeper.signOut();
      return keeper.state();
    },
  };
}

function bearing(
  held: HeldSession | null,
  request: Request | URL,
  init: RequestInit | undefined,
  proof?: string,
): RequestInit | undefined {
  if (held === null) return init;
  const headers = new Headers(init?.headers ?? (request instanceof Request ? request.headers : undefined));
  headers.set("authorization", `${proof === undefined ? "Bearer" : "DPoP"} ${held.accessToken}`);
  if (proof !== undefined) headers.set("dpop", proof);
  return { ...init, headers };
}
