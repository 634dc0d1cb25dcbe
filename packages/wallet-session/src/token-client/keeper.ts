import { type EndReason, endReasonOf } from "../client/end-reason.ts";
import { type Fetch, jsonOf } from "../client/endpoints.ts";
import { createKnownSession } from "../client/known-session.ts";
import { askedWaitMs, errorOf, SessionClientError } from "../client/problem.ts";
import { createRenewalSchedule } from "../client/renewal-schedule.ts";
import { type DpopKey, type DpopKeys, type KeptNonce, sendProven } from "./dpop.ts";
import type { TokenClientEnvironment } from "./environment.ts";
import { type HeldSession, heldSessionOf, readHeldSession, writeHeldSession } from "./held-session.ts";
import { limitedFetch } from "./limited-fetch.ts";
import type { SignIn } from "./sign-in.ts";
import type { TokenStorage } from "./storage.ts";

/** A refresh that is not decided is sent this often, with the same key, before its callers hear of it. */
const TRIES = 4;
const FIRST_PAUSE_MS = 500;
/** A server that asks for a longer wait is left alone, and the callers hear of it. */
const LONGEST_PAUSE_MS = 5_000;

export interface KeeperOptions {
  readonly url: string;
  readonly storage: TokenStorage;
  readonly signIn: SignIn | undefined;
  readonly restMs: number;
  readonly send: Fetch;
  /** Null: sessions are bound to no key. */
  readonly dpop: { readonly keys: DpopKeys; readonly refreshOnly: boolean } | null;
  readonly environment: TokenClientEnvironment;
}

type IsGood = (held: HeldSession) => boolean;

/**
 * Keeps one session alive by the five rules of docs/clients.md: one refresh at a time, one retry key for each token, the key
 * stored before it is sent, kept until another token is held, and the new token stored before its use. A session that is bound
 * to a key needs no retry key: the same key is the same party.
 */
export function createTokenKeeper({ url, storage, signIn, restMs, send, dpop, environment }: KeeperOptions) {
  const { now, after, random } = environment;
  const limited = limitedFetch(send, environment);
  const known = createKnownSession();
  /** What this program saw last in the storage. Another one may have renewed since. */
  let seen: HeldSession | null = null;
  let renewing: Promise<HeldSession | null> | undefined;
  let answers = 0;
  /** A server that asked to be left alone, for how long and when. */
  let busy:
    | { readonly refusal: SessionClientError; readonly waitMs: number; readonly at: number }
    | undefined;
  const schedule = createRenewalSchedule(environment, renewInBackground);
  schedule.stop();

  function keep(held: HeldSession): HeldSession {
    seen = held;
    if (known.id() !== held.sessionId) known.becomeSignedIn(held.sessionId);
    return held;
  }

  async function store(held: HeldSession): Promise<HeldSession> {
    await storage.save(writeHeldSession(held));
    return keep(held);
  }

  async function forget(reason: EndReason): Promise<null> {
    await storage.save(null);
    seen = null;
    schedule.cancel();
    known.becomeSignedOut(reason);
    return null;
  }

  async function read(): Promise<HeldSession | null> {
    const text = await storage.load();
    if (text !== null) return keep(readHeldSession(text));
    seen = null;
    if (known.state().status !== "signed-out") known.becomeSignedOut("refresh_token_missing");
    return null;
  }

  /** What can be used. A session whose key is lost is none any more: nobody can prove that it is his. */
  async function load(): Promise<HeldSession | null> {
    const held = await read();
    const isLost = held?.bound && (await keyOf(held)) === null;
    return isLost ? forget("refresh_token_missing") : held;
  }

  /** Null for a session that is bound to none, and for a lost one. */
  async function keyOf({ bound }: HeldSession): Promise<DpopKey | null> {
    return bound ? ((await dpop?.keys.find(bound.thumbprint)) ?? null) : null;
  }

  /**
   * A session that `isGood`: held, renewed or, with `by`, signed in anew. Null where there is none. A call that finds another
   * one under way shares its outcome, a failure too, if that is good enough.
   */
  async function renew(isGood: IsGood, by?: SignIn): Promise<HeldSession | null> {
    if (renewing !== undefined) {
      const held = await renewing;
      if (held === null ? by === undefined : isGood(held)) return held;
    }
    renewing ??= storage
      .lock(() => renewOnce(isGood, by))
      .finally(() => {
        renewing = undefined;
      });
    return renewing;
  }

  async function renewOnce(isGood: IsGood, by: SignIn | undefined): Promise<HeldSession | null> {
    const held = await load();
    // Another program that shares the storage may have renewed meanwhile.
    if (held !== null && isGood(held)) return planned(held);
    const renewed = held === null ? null : await refresh(held);
    return renewed ?? (by === undefined ? null : signInBy(by));
  }

  /** Never signs in: nobody is waiting for it. A fault, of the storage too, is not the end of it. */
  function renewInBackground(): void {
    const before = seen?.accessToken;
    // The last tokens of a session are short, and newer ones would end with them.
    renew((held) => held.accessToken !== before || isFresh(held)).catch((error: unknown) => {
      schedule.planRetry(error instanceof SessionClientError ? error.retryAfterSeconds : undefined);
    });
  }

  function planned(held: HeldSession): HeldSession {
    schedule.planFor(held.accessEndsAt - held.receivedAt, Math.max(0, now() - held.receivedAt));
    return held;
  }

  /** Null where the session has ended. @throws SessionClientError where nothing was decided: the session is as it was */
  async function refresh(held: HeldSession): Promise<HeldSession | null> {
    if (busy !== undefined && isWithin(busy.at, busy.waitMs)) throw busy.refusal;
    const key = await keyOf(held);
    const current =
      key === null && held.retryKey === null
        ? await store({ ...held, retryKey: environment.newRetryKey() })
        : held;
    const { retryKey, refreshToken, bound } = current;
    const init = {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(retryKey !== null && { "idempotency-key": retryKey }),
      },
      body: JSON.stringify({ refresh_token: refreshToken }),
    };
    const kept = { nonce: bound?.nonce ?? null };
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await post(`${url}/refresh`, init, key, kept);
        return planned(await store(await tokensOf(answer, key)));
      } catch (error) {
        if (!(error instanceof SessionClientError)) throw error;
        const reason = endReasonOf(error);
        if (reason !== undefined) return forget(reason);
        const { retryAfterSeconds } = error;
        if (retryAfterSeconds !== undefined) {
          busy = { refusal: error, waitMs: askedWaitMs(retryAfterSeconds), at: now() };
        }
        const pauseMs = pauseAfter(error, tries);
        if (tries === TRIES || pauseMs > LONGEST_PAUSE_MS) throw error;
        await new Promise<void>((resolve) => after(pauseMs, resolve));
      }
    }
  }

  function pauseAfter({ status, retryAfterSeconds }: SessionClientError, tries: number): number {
    // Repeating a wrong request does not help.
    if (status !== undefined && status >= 400 && status < 429) return Number.POSITIVE_INFINITY;
    const ownMs = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + random() / 2);
    return retryAfterSeconds === undefined ? ownMs : Math.max(ownMs, askedWaitMs(retryAfterSeconds));
  }

  async function signInBy(by: SignIn): Promise<HeldSession> {
    const key = dpop && (await dpop.keys.forSignIn());
    const held = await tokensOf(await by({ url, fetch: key === null ? limited : provingPosts(key) }), key);
    const asked = dpop?.refreshOnly ? "Bearer" : "DPoP";
    if (key !== null && (held.bound?.nonce == null || held.bound.scheme !== asked)) {
      throw new SessionClientError("unexpected_response", "The server binds no session to the key", {
        status: 200,
      });
    }
    return planned(await store(held));
  }

  /** For whatever signs in: the sign-in is a POST to the auth endpoints. */
  function provingPosts(key: DpopKey): typeof limited {
    const kept = { nonce: null };
    return async (input, init = {}) => {
      if (init.method?.toUpperCase() !== "POST" || !String(input).startsWith(`${url}/`))
        return limited(input, init);
      const headers = new Headers(init.headers);
      if (dpop?.refreshOnly) headers.set("session-binding", "refresh-only");
      return post(String(input), { ...init, headers }, key, kept);
    };
  }

  /** A POST to an auth endpoint, with a proof where there is a key. */
  function post(address: string, init: RequestInit, key: DpopKey | null, kept: KeptNonce): Promise<Response> {
    if (key === null) return limited(address, init);
    const subject = { method: "POST", url: address, accessToken: null };
    return sendProven(
      kept,
      (nonce) => key.proof({ ...subject, nonce, now: now() }),
      (proof) => {
        const headers = new Headers(init.headers);
        headers.set("dpop", proof);
        return limited(address, { ...init, headers });
      },
    );
  }

  async function tokensOf(response: Response, key: DpopKey | null): Promise<HeldSession> {
    if (!response.ok) throw await errorOf(response);
    const nonce = response.headers.get("dpop-nonce");
    const held = heldSessionOf(await jsonOf(response), nonce, key?.thumbprint ?? null, now());
    if (held === null) {
      throw new SessionClientError("unexpected_response", "The answer brings no tokens", {
        status: response.status,
      });
    }
    answers += 1;
    return held;
  }

  /** Whether these tokens are so new that another refresh would cure nothing, and might meet a repeated request. */
  function isFresh({ receivedAt, accessEndsAt }: HeldSession): boolean {
    return isWithin(receivedAt, restMs) && now() < accessEndsAt;
  }

  /** False too where the clock was set back. */
  function isWithin(since: number, ms: number): boolean {
    const ageMs = now() - since;
    return ageMs >= 0 && ageMs < ms;
  }

  return {
    state: known.state,
    subscribe: known.subscribe,
    isFresh,

    /** A session whose access token is good for this long, or is fresh: held, renewed, or signed in anew; else null. */
    async goodFor(minTtlMs: number): Promise<HeldSession | null> {
      const isGood: IsGood = (held) =>
        isFresh(held) || (held.accessEndsAt - now() > minTtlMs && held.receivedAt <= now());
      if (seen !== null && isGood(seen)) return seen;
      return renew(isGood, signIn);
    },

    /** Another session than the one whose token was refused, or the same where `isGood` says so. */
    renew: (isGood: IsGood) => renew(isGood, signIn),

    /** Renews now, unless that was just done, or signs in. */
    async refresh(): Promise<void> {
      const before = answers;
      await renew((held) => answers !== before || isFresh(held), signIn);
    },

    /** Signs in, also where there is a session: it is ended only by its own sign-out. */
    signIn: (by: SignIn): Promise<HeldSession> => storage.lock(() => signInBy(by)),

    signOut: (): Promise<void> =>
      storage.lock(async () => {
        const held = await read();
        if (held === null) return;
        const answer = await limited(`${url}/logout`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ refresh_token: held.refreshToken }),
        });
        if (answer.status !== 204) throw await errorOf(answer);
        await forget("signed_out");
      }),

    /** Renews by itself from now on. The function returned stops that. */
    start(): () => void {
      schedule.resume();
      const stopListening = environment.onWake(() => schedule.wake());
      storage.lock(load).then(
        (held) => void (held !== null && planned(held)),
        // The next call meets the same fault, and tells its caller.
        () => {},
      );
      return () => {
        stopListening();
        schedule.stop();
      };
    },
  };
}
