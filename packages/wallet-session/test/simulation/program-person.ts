import { onAbort } from "../../src/client/abort.ts";
import type { Fetch } from "../../src/client/endpoints.ts";
import {
  createTokenClient,
  memoryKey,
  oneByOne,
  stellarSignIn,
  type TokenClient,
  type TokenStorage,
} from "../../src/token-client.ts";
import { ORIGIN } from "./node.ts";
import { type Loot, Person, type PersonParts } from "./person.ts";
import { type PersonDoes, type PersonPlan, START_MS } from "./plan.ts";

const BASE = `${ORIGIN}/api/auth`;
const RESTARTS_MS = 2_000;
const DISK_MS = 5;

/** A program that keeps its own tokens, on a disk that survives its crashes. */
export class ProgramPerson extends Person {
  readonly #plan: PersonPlan & { kind: "program" };
  readonly #key = memoryKey();
  readonly #wakers = new Set<() => void>();
  #disk: string | null = null;
  #clockMs = 0;
  #lives = 0;
  #client: TokenClient | null = null;

  constructor(name: string, plan: PersonPlan & { kind: "program" }, parts: PersonParts) {
    super(name, plan.account, parts);
    this.#plan = plan;
  }

  enter(): void {
    this.#client = this.#start();
    this.signIn().catch(() => this.signInSoon());
  }

  #start(): TokenClient {
    const { machine } = this;
    const { random } = machine;
    const client = createTokenClient({
      url: BASE,
      storage: this.#storage(),
      fetch: this.#fetch,
      ...(this.#plan.dpop && { dpop: { key: this.#key } }),
      environment: {
        now: () => START_MS + machine.nowMs + this.#clockMs,
        after: (delayMs, task) => machine.plan({ label: "timer", delayMs }, task),
        random: () => random.next(),
        newRetryKey: () => Buffer.from(random.bytes(18)).toString("base64url"),
        onWake: (task) => {
          this.#wakers.add(task);
          return () => this.#wakers.delete(task);
        },
      },
    });
    const life = this.#lives;
    let sessionId: string | undefined;
    client.subscribe((state) => {
      if (life !== this.#lives) return;
      if (state.status === "signed-in") sessionId = state.sessionId;
      // Nothing was there to be lost.
      if (state.status === "signed-out" && sessionId === undefined) this.signInSoon();
      else if (state.status === "signed-out") this.becameSignedOut(sessionId, state.reason);
    });
    client.start();
    return client;
  }

  /** Of one life: the next one waits for no lock of this. */
  #storage(): TokenStorage {
    const life = this.#lives;
    const disk = async () => {
      if (this.machine.random.chance(0.2)) await this.machine.pause(this.machine.random.below(DISK_MS));
      if (life !== this.#lives) await new Promise(() => {});
    };
    return {
      load: async () => {
        await disk();
        return this.#disk;
      },
      save: async (text) => {
        await disk();
        this.#disk = text;
        await disk();
      },
      lock: oneByOne(),
    };
  }

  readonly #fetch: Fetch = async (input, init) => {
    const request = input instanceof Request ? input : null;
    const headers = new Headers(init?.headers ?? request?.headers);
    const body = typeof init?.body === "string" ? init.body : null;
    const abort = new AbortController();
    const stopListening = onAbort(init?.signal ?? undefined, () => abort.abort());
    try {
      const sent = { method: init?.method ?? "GET", url: request?.url ?? String(input), headers, body };
      return await this.wire.send(sent, abort.signal);
    } finally {
      stopListening();
    }
  };

  act(does: PersonDoes, _tab: number, ms: number): void {
    const client = this.#client;
    if (this.machine.isAsleep || client === null) return;
    switch (does) {
      case "sleeps":
        this.sleepFor(ms);
        return;
      case "crashes":
        this.#crash();
        return;
      case "is woken":
        this.woken();
        return;
      case "sets the clock":
        this.#clockMs += this.machine.random.pick([-1, 1]) * ms;
        return;
      case "opens a tab":
      case "closes a tab":
      case "checks":
      case "loads a page":
      case "fetches":
        client.fetch(`${BASE}/session`).catch(() => {});
        return;
      case "refreshes":
      case "hurries":
        client.refresh().catch(() => {});
        return;
      case "ensures freshness":
        client.accessToken(this.parts.setting.accessTtlMs / 3).catch(() => {});
        return;
      case "signs in again":
        this.signIn().catch(() => {});
        return;
      case "signs out":
        client.signOut().catch(() => {});
        return;
      case "ends the others":
        client.fetch(`${BASE}/sessions`, { method: "DELETE" }).catch(() => {});
        return;
      default:
        does satisfies never;
    }
  }

  #crash(): void {
    this.#lives += 1;
    this.#client = null;
    this.#wakers.clear();
    this.machine.crash();
    this.forgetPlans();
    this.machine.plan({ label: "starts again", delayMs: RESTARTS_MS }, () => {
      this.#client = this.#start();
    });
  }

  protected async signIn(): Promise<void> {
    const { account, sign } = this.keypair;
    await this.#client?.signIn(stellarSignIn(account, sign));
  }

  protected isSignedOut(): boolean {
    return this.#client?.state.status !== "signed-in";
  }

  /** It tries four times where a tab tries once. */
  protected places(): number {
    return 4;
  }

  protected woken(): void {
    for (const task of this.#wakers) this.machine.plan({ label: "woken" }, task);
  }

  loot(): Loot | null {
    if (this.#disk === null) return null;
    const { refreshToken, accessToken, retryKey } = JSON.parse(this.#disk) as Loot;
    return { cookies: null, refreshToken, accessToken, retryKey };
  }

  async conclude(): Promise<void> {
    let state = await this.#client?.refresh();
    // It may have come to its end a moment ago.
    if (state?.status === "signed-out") {
      await this.signIn();
      state = this.#client?.state;
    }
    if (state?.status !== "signed-in")
      this.parts.judge.fail("disagreement", `${this.name} cannot be signed in: ${JSON.stringify(state)}`);
  }

  leave(): void {
    this.#crash();
    this.machine.crash();
  }
}
