import type { Clock } from "../../src/clock.ts";
import { createHandlers, type Handlers } from "../../src/http.ts";
import { createSessionEngine } from "../../src/index.ts";
import { createWalletKeypair } from "../../src/testing.ts";
import { createStellarWallet, masterKeyOnly } from "../../src/wallets/stellar.ts";
import { factsOf, factsOfAnswer } from "./facts.ts";
import type { Tell } from "./failures.ts";
import type { Judge } from "./judge.ts";
import { Machine } from "./machine.ts";
import { type Setting, START_MS } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedStore } from "./simulated-store.ts";
import type { JudgedNode } from "./truths.ts";
import type { Sent } from "./wire.ts";

export const ORIGIN = "https://pay.example.com";
const SECRETS = [
  "the first secret of the simulated service",
  "the second one, which takes its place later",
] as const;
/** The lists of `AUTH_SECRET`, one after the other: docs/operations.md. */
const SECRET_LISTS: readonly (readonly string[])[] = [
  [SECRETS[0]],
  [SECRETS[0], SECRETS[1]],
  [SECRETS[1], SECRETS[0]],
];
export const ALL_SECRETS: readonly string[] = SECRETS;
const TRIES_AGAIN_MS = 1_000;
const SIGNING_SEED = createWalletKeypair(new Uint8Array(32).fill(7)).seed;

export interface Sender {
  readonly name: string;
  readonly isThief: boolean;
}

export interface NodeParts {
  readonly scheduler: Scheduler;
  readonly store: SimulatedStore;
  readonly judge: Judge;
  readonly setting: Setting;
  readonly seed: string;
  readonly tell: Tell | null;
}

/** One process of the service: the real engine behind the real handlers. */
export class Node implements JudgedNode {
  readonly name: string;
  readonly machine: Machine;
  readonly clock: Clock;
  upSinceMs = 0;
  #offsetMs: number;
  #lives = 0;
  #readSinceMs = Number.NEGATIVE_INFINITY;
  #handlers: Handlers | null = null;
  #secrets = 0;
  readonly #hangUps = new Set<() => void>();
  readonly #parts: NodeParts;

  constructor(index: number, parts: NodeParts) {
    const { scheduler, seed, setting } = parts;
    this.#parts = parts;
    this.name = `node ${index + 1}`;
    this.machine = new Machine(scheduler, this.name, seed);
    this.#offsetMs = setting.skewsMs[index] ?? 0;
    this.clock = { now: () => START_MS + scheduler.nowMs + this.#offsetMs };
  }

  /** Names the process that runs. */
  get life(): string {
    return `${this.name}.${this.#lives}`;
  }

  get isUp(): boolean {
    return this.#handlers !== null;
  }

  /** Whether this process has read the log as it stood at that time or later. */
  hasReadSince(ms: number): boolean {
    return this.#readSinceMs > ms;
  }

  setClock(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** Nothing of it goes on, and its connections are lost. */
  crash(): void {
    this.#lives += 1;
    this.#handlers = null;
    this.#readSinceMs = Number.NEGATIVE_INFINITY;
    this.machine.crash();
    for (const hangUp of this.#hangUps) hangUp();
    this.#hangUps.clear();
  }

  /** With the next list of secrets, from its next start on. */
  changeSecrets(list: number): void {
    this.#secrets = Math.min(list, SECRET_LISTS.length - 1);
  }

  /** Tries until the store lets it. */
  async start(): Promise<void> {
    const { scheduler, tell } = this.#parts;
    const life = this.life;
    for (;;) {
      const started = await this.#startOnce().catch(() => null);
      if (this.life !== life) return;
      if (started !== null) {
        this.#handlers = started;
        this.upSinceMs = scheduler.nowMs;
        tell?.(`${this.name} is up`);
        return;
      }
      await this.machine.pause(TRIES_AGAIN_MS);
    }
  }

  async #startOnce(): Promise<Handlers> {
    const { judge, setting, store } = this.#parts;
    const { life, machine } = this;
    const isDead = () => this.life !== life;
    const engine = createSessionEngine({
      store: store.openFor({ machine, life, isDead, hasRead: (sinceMs) => this.#hasRead(life, sinceMs) }),
      secrets: SECRET_LISTS[this.#secrets] ?? ALL_SECRETS,
      issuer: ORIGIN,
      accessTtlMs: setting.accessTtlMs,
      refreshLeewayMs: setting.leewayMs,
      refreshIdleTtlMs: setting.idleTtlMs,
      refreshAbsoluteTtlMs: setting.absoluteTtlMs,
      clock: this.clock,
      random: machine.random.bytes,
      every: (intervalMs, task) => this.#every(intervalMs, task),
      onEvent: (event) => void (isDead() || judge.truths.event(event)),
    });
    await engine.start();
    const wallet = createStellarWallet({
      signingSeed: SIGNING_SEED,
      networkPassphrase: "Test SDF Network ; September 2015",
      homeDomain: "pay.example.com",
      webAuthEndpoint: `${ORIGIN}/api/auth/wallet`,
      accountSigners: masterKeyOnly,
      clock: this.clock,
      random: machine.random.bytes,
    });
    return createHandlers({
      engine,
      wallet,
      publicUrl: new URL(ORIGIN),
      clock: this.clock,
      rateLimit: false,
      deviceBinding: setting.bindsDevices ? "offer" : "off",
      requestId: () => "simulated",
      stopwatch: () => this.machine.nowMs,
    });
  }

  #hasRead(life: string, sinceMs: number): void {
    if (life === this.life) this.#readSinceMs = Math.max(this.#readSinceMs, sinceMs);
  }

  #every(intervalMs: number, task: () => Promise<void>): () => void {
    let isOver = false;
    const again = () => {
      this.machine.plan({ label: "timer", delayMs: intervalMs }, () => {
        if (isOver) return;
        again();
        task().catch(() => {});
      });
    };
    again();
    return () => {
      isOver = true;
    };
  }

  /** Null where the process ends before it has answered. */
  async answer(sent: Sent, sender: Sender): Promise<Response | null> {
    const handlers = this.#handlers;
    if (handlers === null) return null;
    const { judge, tell } = this.#parts;
    const { answers } = judge;
    const ticket = answers.begins(factsOf(sent, sender.isThief), this);
    const { url, method, headers, body } = sent;
    const answered = handlers.fetch(new Request(url, { method, headers, body })).then(readWhole);
    const hungUp = new Promise<null>((resolve) => {
      const hangUp = () => resolve(null);
      this.#hangUps.add(hangUp);
      answered.finally(() => this.#hangUps.delete(hangUp)).catch(() => {});
    });
    const answer = await Promise.race([answered, hungUp]);
    if (answer === null) return null;
    const facts = factsOfAnswer(answer.response, answer.text);
    tell?.(`${sender.name} asked ${this.name} ${answers.describe(ticket, facts)}`);
    answers.ends(ticket, facts);
    return answer.response;
  }
}

/** So that reading it later waits for nothing outside the world. */
async function readWhole(response: Response) {
  const text = await response.text();
  const { status, headers } = response;
  return { response: new Response(text === "" ? null : text, { status, headers }), text };
}
