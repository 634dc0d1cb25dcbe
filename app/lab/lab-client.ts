import { isCurable, terminalCode } from "wallet-session/client";
import { openDemoWallet } from "../sign-in/demo-wallet.ts";
import type { Recorder, Tone } from "./recording.ts";
import { watchSession } from "./session-stream.ts";
import type { Answer, Wire } from "./wire.ts";

/** What the client keeps, as docs/clients.md asks of a program that holds its own tokens. */
export interface Held {
  readonly sessionId: string;
  readonly accessToken: string;
  readonly accessEndsAt: number;
  readonly refreshToken: string;
  /** Made when the token is first used, kept until the client holds another token. */
  readonly retryKey: string | null;
  readonly generation: number;
}

type RefreshOutcome = "renewed" | "ended" | "undecided";

/** As docs/clients.md asks of clients. */
const RENEWAL_SHARE = { from: 0.6, to: 0.8 };
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 8_000;

/** A small client whose tokens travel in the body. It signs once and renews by itself, on the wire that it is given. */
export class LabClient {
  readonly #wire: Wire;
  readonly #recorder: Recorder;
  readonly #onChange: () => void;
  #held: Held | null = null;
  #renews = false;
  #renewalAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #refreshing: Promise<RefreshOutcome> | undefined;
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
    const challenge = await this.#wire.send("GET", `/api/auth/wallet?account=${wallet.account}`);
    const { transaction, network_passphrase: networkPassphrase } = challenge.body;
    if (typeof transaction !== "string" || typeof networkPassphrase !== "string") {
      this.#say("No challenge came, so there is nothing to sign.", challenge, "notice");
      return false;
    }
    const signed = await wallet.sign({ transaction, networkPassphrase });
    const answer = await this.#wire.send("POST", "/api/auth/wallet", { body: { transaction: signed } });
    const tokens = tokensOf(answer);
    if (tokens === null) {
      this.#say("The server did not take the signature.", answer, "danger");
      return false;
    }
    this.#recorder.begin("body", 1);
    this.#keep(tokens, 1);
    this.#recorder.flag("body", "signed once", "good");
    this.#say("The wallet signed one challenge: a session begins, at generation 1.", answer, "good");
    this.#watch();
    return true;
  }

  /** One use of the refresh token, or a retry of it: the key of the token decides. Calls share the one under way. */
  refresh(): Promise<RefreshOutcome> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<RefreshOutcome> {
    const held = this.#held;
    if (held === null) return "ended";
    const isRetry = held.retryKey !== null;
    // Kept before it is sent: every retry must carry the same key.
    const retryKey = held.retryKey ?? crypto.randomUUID();
    this.#become({ ...held, retryKey });
    const answer = await this.#wire.send("POST", "/api/auth/refresh", {
      body: { refresh_token: held.refreshToken },
      retryKey,
    });
    const tokens = tokensOf(answer);
    if (tokens !== null) {
      await this.#take(tokens, held, isRetry, answer);
      return "renewed";
    }
    if (terminalCode(answer.code) !== undefined) {
      this.#end("revoked", `The client cannot renew: ${answer.code}. It stops.`, answer);
      return "ended";
    }
    this.#failures += 1;
    const what = answer.status === null ? "No answer reached the client" : "Nothing was decided";
    this.#say(
      `${what}. It keeps refresh token ${held.generation} and its key …${tail(retryKey)}, and is still signed in.`,
      answer,
      "notice",
    );
    this.#plan(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1)));
    return "undecided";
  }

  /** A guarded request. If a newer access token cures its 401, the client renews and sends it once more. */
  async call(): Promise<void> {
    const answer = await this.#ask();
    if (answer.status === 200) {
      this.#say("The access token is accepted.", answer, "good");
    } else if (answer.status === null) {
      this.#say("No answer. The client keeps what it holds.", answer, "notice");
    } else if (!isCurable(answer.code) || terminalCode(answer.code) !== undefined) {
      this.#say("The access token is refused.", answer, "danger");
    } else {
      this.#say("The access token has ended. That says nothing about the session.", answer, "notice");
      if ((await this.refresh()) !== "renewed") return;
      this.#say("The same request, sent once more with the new access token.", await this.#ask(), "good");
    }
  }

  /** The generation in the server's row; null if the server does not say. */
  async generationAtServer(): Promise<{ answer: Answer; generation: number | null }> {
    const answer = await this.#ask();
    const { generation } = answer.body;
    return { answer, generation: typeof generation === "number" ? generation : null };
  }

  async signOut(): Promise<void> {
    if (this.#held === null) return;
    this.#stopWatching();
    const answer = await this.#wire.send("POST", "/api/auth/logout", {
      body: { refresh_token: this.#held.refreshToken },
    });
    if (answer.status === 204) {
      this.#end("signed-out", "Signed out: the session has ended, for every copy of its tokens.", answer);
    } else {
      this.#say("The server could not be told. The client is still signed in.", answer, "notice");
      this.#watch();
    }
  }

  /** Renews in the background from now on; an overdue renewal is done at once. */
  startRenewing(): void {
    this.#renews = true;
    if (this.#held !== null) this.#plan(this.#renewalAt - this.#recorder.now());
  }

  stopRenewing(): void {
    this.#renews = false;
    clearTimeout(this.#timer);
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

  #ask(): Promise<Answer> {
    return this.#wire.send("GET", "/api/auth/session", { bearer: this.#held?.accessToken ?? "" });
  }

  async #take(tokens: Tokens, before: Held, isRetry: boolean, answer: Answer): Promise<void> {
    this.#keep(tokens, before.generation + 1);
    const { generation } = await this.generationAtServer();
    const now = generation ?? before.generation + 1;
    const wasLost = this.#wire.lostAnswer?.body.refresh_token === tokens.refreshToken;
    this.#recorder.step("body", wasLost ? "replayed" : "begun", now);
    const key = `Retried with the same key …${tail(before.retryKey ?? "")}`;
    const again = isRetry ? "Retried with the same key, and this time it came through: " : "Renewed: ";
    const text = wasLost
      ? `${key}: the very same refresh token ${now} that was lost, byte for byte (…${tail(tokens.refreshToken)}). The server wrote nothing.`
      : `${again}a new access token, and refresh token ${now} in place of ${before.generation}.`;
    this.#say(text, answer, "good");
  }

  #keep(tokens: Tokens, generation: number): void {
    const at = this.#recorder.now();
    const share = RENEWAL_SHARE.from + (RENEWAL_SHARE.to - RENEWAL_SHARE.from) * Math.random();
    const { expiresInMs, ...kept } = tokens;
    this.#failures = 0;
    this.#renewalAt = at + expiresInMs * share;
    this.#recorder.accessToken("body", {
      generation,
      from: at,
      until: at + expiresInMs,
      renewalAt: this.#renewalAt,
      arrived: true,
    });
    this.#become({ ...kept, accessEndsAt: at + expiresInMs, retryKey: null, generation });
    this.#plan(expiresInMs * share);
  }

  #end(how: "revoked" | "signed-out", text: string, answer: Answer): void {
    clearTimeout(this.#timer);
    this.#stopWatching();
    this.#recorder.end("body", how);
    this.#say(text, answer, how === "revoked" ? "danger" : "calm");
    this.#become(null);
  }

  #plan(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#renews) this.#timer = setTimeout(() => void this.refresh(), Math.max(0, delayMs));
  }

  #say(text: string, exchange: Answer, tone: Tone): void {
    this.#recorder.say("Client", text, { tone, exchange });
  }

  #become(held: Held | null): void {
    this.#held = held;
    this.#onChange();
  }
}

type Tokens = NonNullable<ReturnType<typeof tokensOf>>;

/** Null where the answer brings none. */
function tokensOf({ status, body }: Answer) {
  const { session_id: sessionId, access_token: accessToken, refresh_token: refreshToken } = body;
  const { expires_in: seconds } = body;
  if (status !== 200 || typeof sessionId !== "string" || typeof accessToken !== "string") return null;
  if (typeof refreshToken !== "string" || typeof seconds !== "number") return null;
  return { sessionId, accessToken, refreshToken, expiresInMs: seconds * 1_000 };
}

/** Enough to tell two apart, not enough to use. */
export function tail(secret: string): string {
  return secret.slice(-4);
}
