import {
  createTokenClient,
  type Fetch,
  isCurable,
  memoryStorage,
  SessionClientError,
  stellarSignIn,
  type TokenClient,
  terminalCode,
} from "wallet-session/token-client";
import { openDemoWallet } from "../sign-in/demo-wallet.ts";
import type { Recorder, Tone } from "./recording.ts";
import { watchSession } from "./session-stream.ts";
import { type Answer, answerOf, REQUEST_LIMIT_MS, type Wire } from "./wire.ts";

/** What the client has stored, its generation, and the end of its access token in the recording's time. */
export interface Held {
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessEndsAt: number;
  readonly refreshToken: string;
  readonly retryKey: string | null;
  readonly generation: number;
}

/** The client draws its renewals by lot, from 60 to 80 % of a token's life. Here the lot always says the middle. */
const LOT = 0.5;
const RENEWAL_SHARE = 0.7;
const SILENCE = ["", "calm"] as const;

/** The package's client, on a wire that it does not know of: whatever it sends is recorded and put into words. */
export class LabClient {
  readonly #wire: Wire;
  readonly #recorder: Recorder;
  readonly #onChange: () => void;
  #client: TokenClient | null = null;
  #held: Held | null = null;
  #sleptMs = 0;
  /** Whether the refresh token, or the access token of the last call, has been sent in vain. */
  #isRetry = false;
  #wasRefused = false;
  #stopRenewing = () => {};
  #stopWatching = () => {};

  constructor(wire: Wire, recorder: Recorder, onChange: () => void) {
    this.#wire = wire;
    this.#recorder = recorder;
    this.#onChange = onChange;
  }

  get held(): Held | null {
    return this.#held;
  }

  /** Signs in with a new key, which is then forgotten. True if there is a session now. */
  async signIn(): Promise<boolean> {
    const wallet = await openDemoWallet({ getItem: () => null, setItem: () => {} });
    const storage = memoryStorage();
    const save = async (text: string | null) => {
      await storage.save(text);
      this.#become(text === null ? null : this.#heldIn(text));
    };
    this.#client = createTokenClient({
      url: new URL("/api/auth", location.href),
      storage: { ...storage, save },
      fetch: this.#recordedFetch,
      restMs: 0,
      environment: { now: () => this.#recorder.now() - this.#sleptMs, random: () => LOT },
    });
    await decided(this.#client.signIn(stellarSignIn(wallet.account, (challenge) => wallet.sign(challenge))));
    if (this.#held === null) return false;
    this.#watch();
    return true;
  }

  /** Uses the refresh token, again and with the same key for as long as no answer comes. */
  async refresh(): Promise<void> {
    await decided(this.#client?.refresh());
  }

  /** A guarded request. If a newer access token cures its 401, the client renews and sends it once more. */
  async call(): Promise<void> {
    this.#wasRefused = false;
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    await decided(this.#client?.fetch("/api/auth/session", { signal }));
  }

  /** The generation in the server's row; null if the server does not say. */
  async generationAtServer(): Promise<{ answer: Answer; generation: number | null }> {
    const bearer = this.#held?.accessToken ?? "";
    const answer = await this.#wire.send("GET", "/api/auth/session", { bearer });
    const { generation } = answer.body;
    return { answer, generation: typeof generation === "number" ? generation : null };
  }

  async signOut(): Promise<void> {
    this.#stopWatching();
    await decided(this.#client?.signOut());
    if (this.#held !== null) this.#watch();
  }

  /** Renews in the background from now on; an overdue renewal is done at once. */
  startRenewing(): void {
    this.#stopRenewing = this.#client?.start() ?? (() => {});
  }

  stopRenewing(): void {
    this.#stopRenewing();
  }

  /** Its clock stops until the function returned is called, as in a machine that sleeps. */
  fallAsleep(): () => void {
    const since = this.#recorder.now();
    return () => {
      this.#sleptMs += this.#recorder.now() - since;
    };
  }

  /** Sends nothing any more: the page is left. */
  stop(): void {
    this.stopRenewing();
    this.#stopWatching();
  }

  #watch(): void {
    const leaving = new AbortController();
    this.#stopWatching = () => leaving.abort();
    const bearer = () => this.#held?.accessToken ?? null;
    watchSession(this.#wire, this.#recorder, bearer, leaving.signal).then((ended) => {
      // The refresh endpoint has the last word.
      if (ended) void this.refresh();
    });
  }

  readonly #recordedFetch: Fetch = async (input, init = {}) => {
    const response = this.#wire.fetch(input, init);
    const answer = await answerOf(input, init, response);
    const [text, tone] = this.#record(answer);
    if (text !== "") this.#recorder.say("Client", text, { tone, exchange: answer });
    if (answer.status === null) throw new SessionClientError("network_error", "No answer came");
    return response;
  };

  /** Gives what the answer means to the client, in words. */
  #record({ method, path, status, code }: Answer): readonly [string, Tone] {
    switch (`${method} ${path}`) {
      case "GET /api/auth/wallet":
        return status === 200 ? SILENCE : ["No challenge came, so there is nothing to sign.", "notice"];
      case "POST /api/auth/wallet":
        if (status !== 200) return ["The server did not take the signature.", "danger"];
        this.#recorder.begin("body", 1);
        this.#recorder.flag("body", "signed once", "good");
        return ["The wallet signed one challenge: a session begins, at generation 1.", "good"];
      case "POST /api/auth/refresh":
        return this.#held === null ? SILENCE : this.#recordRefresh(status, code, this.#held);
      case "GET /api/auth/session":
        return this.#recordCall(status, code);
      case "POST /api/auth/logout":
        if (status !== 204) return ["The server could not be told. The client is still signed in.", "notice"];
        this.#recorder.end("body", "signed-out");
        return ["Signed out: the session has ended, for every copy of its tokens.", "calm"];
      default:
        return SILENCE;
    }
  }

  #recordRefresh(
    status: number | null,
    code: string | null,
    { generation, retryKey }: Held,
  ): readonly [string, Tone] {
    if (status === 200) {
      const next = generation + 1;
      this.#recorder.step("body", "begun", next);
      const how = this.#isRetry ? "Retried with the same key, and this time it came through" : "Renewed";
      return [`${how}: a new access token, and refresh token ${next} in place of ${generation}.`, "good"];
    }
    if (terminalCode(code) !== undefined) {
      this.#stopWatching();
      this.#recorder.end("body", "revoked");
      return [`The client cannot renew: ${code}. It stops.`, "danger"];
    }
    this.#isRetry = true;
    const what = status === null ? "No answer reached the client" : "Nothing was decided";
    const kept = `refresh token ${generation} and its key …${tail(retryKey ?? "")}`;
    return [`${what}. It keeps ${kept}, and is still signed in.`, "notice"];
  }

  #recordCall(status: number | null, code: string | null): readonly [string, Tone] {
    if (status === null) return ["No answer. The client keeps what it holds.", "notice"];
    if (status !== 200) {
      this.#wasRefused = isCurable(code) && terminalCode(code) === undefined;
      return this.#wasRefused
        ? ["The access token has ended. That says nothing about the session.", "notice"]
        : ["The access token is refused.", "danger"];
    }
    return this.#wasRefused
      ? ["The same request, sent once more with the new access token.", "good"]
      : ["The access token is accepted.", "good"];
  }

  /** The generation is counted: each other refresh token is one more. */
  #heldIn(stored: string): Held {
    const { accessEndsAt, receivedAt, ...kept }: Held & { receivedAt: number } = JSON.parse(stored);
    const before = this.#held;
    if (kept.refreshToken === before?.refreshToken) return { ...before, retryKey: kept.retryKey };
    this.#isRetry = false;
    const generation = before === null ? 1 : before.generation + 1;
    const from = this.#recorder.now();
    const until = from + accessEndsAt - receivedAt;
    const renewalAt = from + (until - from) * RENEWAL_SHARE;
    this.#recorder.accessToken("body", { generation, from, until, renewalAt, arrived: true });
    return { ...kept, accessEndsAt: until, generation };
  }

  #become(held: Held | null): void {
    this.#held = held;
    this.#onChange();
  }
}

/** What was refused or not decided has been said already. */
async function decided(step: Promise<unknown> | undefined): Promise<void> {
  await step?.catch((error: unknown) => {
    if (!(error instanceof SessionClientError)) throw error;
  });
}

/** Enough to tell two apart, not enough to use. */
export function tail(secret: string): string {
  return secret.slice(-4);
}
