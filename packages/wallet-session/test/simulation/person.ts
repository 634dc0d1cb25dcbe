import { AUTH_BASE_PATH } from "../../src/auth-paths.ts";
import { createWalletKeypair, type WalletKeypair } from "../../src/testing.ts";
import type { Tell } from "./failures.ts";
import type { Judge } from "./judge.ts";
import { Machine } from "./machine.ts";
import type { PersonDoes, Setting } from "./plan.ts";
import { Random } from "./random.ts";
import { Road } from "./road.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Service } from "./service.ts";
import { Wire } from "./wire.ts";

export interface PersonParts {
  readonly scheduler: Scheduler;
  readonly service: Service;
  readonly judge: Judge;
  readonly setting: Setting;
  readonly seed: string;
  readonly tell: Tell | null;
}

/** What somebody has who has looked into a machine. */
export interface Loot {
  /** Of a browser; null for a program. */
  readonly cookies: string | null;
  readonly accessToken: string | null;
  readonly refreshToken: string;
  readonly retryKey: string | null;
}

/** Who is signed out signs in again, as soon as that works. */
const SIGNS_IN_AGAIN_MS = 20_000;
const STORM_WINDOW_MS = 60_000;
/** Somebody who hurries asks so often by hand. */
const HURRIES = 8;

/** Somebody with a machine: what browsers and programs have in common. */
export abstract class Person {
  readonly name: string;
  readonly machine: Machine;
  readonly road: Road;
  signOuts = 0;
  /** From then on it signs in where it is asked to, and not by itself. */
  isConcluding = false;
  protected readonly parts: PersonParts;
  protected readonly wire: Wire;
  protected readonly keypair: WalletKeypair;
  #willSignIn = false;
  #refreshes: { readonly atMs: number; readonly places: number }[] = [];

  constructor(name: string, account: number, parts: PersonParts) {
    this.name = name;
    this.parts = parts;
    const { scheduler, service, setting, seed } = parts;
    this.machine = new Machine(scheduler, name, seed);
    const random = new Random(`${seed} ${name}'s road`);
    this.road = new Road({ scheduler, service, random, setting, sender: { name, isThief: false } });
    this.wire = new Wire(scheduler, this.machine, (sent) => {
      if (sent.url.endsWith(`${AUTH_BASE_PATH}/refresh`)) this.#noteRefresh();
      return this.road.meet(sent);
    });
    this.keypair = createWalletKeypair(new Random(`account ${account}`).bytes(32));
  }

  /** Begins. */
  abstract enter(): void;
  /** Begins it, and does not wait for it. */
  abstract act(does: PersonDoes, tab: number, ms: number): void;
  abstract loot(): Loot | null;
  /** When all is calm. Says what is wrong. */
  abstract conclude(): Promise<void>;
  abstract leave(): void;
  /** How many places refresh by themselves. */
  protected abstract places(): number;
  protected abstract signIn(): Promise<unknown>;
  protected abstract isSignedOut(): boolean;
  protected abstract woken(): void;

  /** Asleep for so long, with all that is due meanwhile overdue then. */
  protected sleepFor(ms: number): void {
    const { machine } = this;
    machine.sleep();
    this.parts.scheduler.plan({ label: `${this.name} opens the lid`, delayMs: ms }, () => this.wake());
  }

  wake(): void {
    if (!this.machine.isAsleep) return;
    this.machine.wake();
    this.woken();
  }

  protected becameSignedOut(sessionId: string | undefined, reason: string): void {
    this.signOuts += 1;
    this.parts.judge.signedOut(this.name, sessionId, reason);
    this.signInSoon();
  }

  protected signInSoon(): void {
    if (this.#willSignIn) return;
    this.#willSignIn = true;
    this.machine.plan({ label: "signs in", delayMs: SIGNS_IN_AGAIN_MS }, () => {
      this.#willSignIn = false;
      if (this.isConcluding || !this.isSignedOut()) return;
      this.signIn().catch(() => {});
      this.signInSoon();
    });
  }

  /** After a crash of the machine, which has forgotten what it had planned. */
  protected forgetPlans(): void {
    this.#willSignIn = false;
  }

  #noteRefresh(): void {
    const { nowMs } = this.machine;
    const before = this.#refreshes.filter(({ atMs }) => atMs > nowMs - STORM_WINDOW_MS);
    this.#refreshes = [...before, { atMs: nowMs, places: this.places() }];
    // Some of them may be closed by now.
    const places = Math.max(...this.#refreshes.map((refresh) => refresh.places));
    // A handful at first, then one a minute; and one for each that the jitter brings forward, or that somebody asks for.
    if (this.#refreshes.length > (12 + HURRIES) * (places + 1))
      this.parts.judge.fail("storm", `${this.name} has sent ${this.#refreshes.length} refreshes in a minute`);
  }
}
