import { createKeyring } from "../../src/tokens/secrets.ts";
import { BrowserPerson } from "./browser-person.ts";
import type { Failure, Tell } from "./failures.ts";
import { Judge } from "./judge.ts";
import { ALL_SECRETS } from "./node.ts";
import type { Person, PersonParts } from "./person.ts";
import { type Deed, MINUTE, type Plan } from "./plan.ts";
import { ProgramPerson } from "./program-person.ts";
import { Scheduler } from "./scheduler.ts";
import { Service } from "./service.ts";
import { SimulatedStore } from "./simulated-store.ts";
import { Thief } from "./thief.ts";
import { withVirtualCrypto } from "./virtual-crypto.ts";

export interface Figures {
  refreshed: number;
  rotated: number;
  unchanged: number;
  guarded: number;
  signedIn: number;
  signOuts: number;
  revoked: number;
  alarms: number;
  lost: number;
  turns: number;
  tabHours: number;
}

export interface Outcome {
  readonly failures: readonly Failure[];
  readonly figures: Figures;
}

const CALM_MS = 3 * MINUTE;
/** Browsers make few signatures in nine minutes. */
const CALM_WITH_KEYS_MS = 12 * MINUTE;
const NAMES = ["Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo"];

export interface Witnesses {
  /** Told in words what happens. */
  readonly tell?: Tell;
  /** Told of each turn. */
  readonly trace?: (line: string) => void;
}

/** Runs the world of a plan to its end, or to its first failure. */
export function runWorld(plan: Plan, witnesses: Witnesses = {}): Promise<Outcome> {
  return withVirtualCrypto(() => new World(plan, witnesses).run());
}

class World {
  readonly #plan: Plan;
  readonly #scheduler: Scheduler;
  readonly #judge: Judge;
  readonly #service: Service;
  readonly #store: SimulatedStore;
  readonly #people = new Map<number, Person>();
  readonly #thieves = new Map<number, Thief>();
  readonly #parts: PersonParts;

  constructor(plan: Plan, witnesses: Witnesses) {
    this.#plan = plan;
    const { seed, setting } = plan;
    const scheduler = new Scheduler(witnesses.trace ?? null);
    const told = witnesses.tell;
    const tell = told ? (words: string) => told(`${clockOf(scheduler.nowMs)} ${words}`) : null;
    const keyring = createKeyring(ALL_SECRETS);
    this.#judge = new Judge(scheduler, keyring, setting.leewayMs, tell);
    const judge = this.#judge;
    const store = new SimulatedStore(scheduler, judge.truths, setting);
    const service = new Service(setting, { scheduler, store, judge, setting, seed, tell });
    this.#scheduler = scheduler;
    this.#service = service;
    this.#store = store;
    this.#parts = { scheduler, service, judge, setting, seed, tell };
  }

  async run(): Promise<Outcome> {
    const { setting, people, present, deeds } = this.#plan;
    const scheduler = this.#scheduler;
    this.#service.start();
    for (const index of present) {
      const person = people[index];
      if (person === undefined) continue;
      const name = `${NAMES[index % NAMES.length]}${index >= NAMES.length ? ` ${Math.floor(index / NAMES.length) + 1}` : ""}`;
      const made =
        person.kind === "browser"
          ? new BrowserPerson(name, person, this.#parts)
          : new ProgramPerson(`${name}'s program`, person, this.#parts);
      this.#people.set(index, made);
      const delayMs = 1_000 + made.machine.random.below(setting.accessTtlMs);
      scheduler.plan({ label: `${name} enters`, delayMs }, () => made.enter());
    }
    for (const deed of deeds) scheduler.plan({ label: deed.kind, delayMs: deed.atMs }, () => this.#do(deed));
    await this.#runUntil(setting.lastsMs);
    await this.#conclude();
    for (const person of this.#people.values()) person.leave();
    return { failures: this.#judge.failures, figures: this.#figures() };
  }

  #runUntil(ms: number): Promise<void> {
    return this.#scheduler.runUntil(ms, () => this.#judge.failures.length > 0);
  }

  #do(deed: Deed): void {
    const { tell } = this.#parts;
    switch (deed.kind) {
      case "person": {
        const person = this.#people.get(deed.who);
        if (person === undefined) return;
        tell?.(`${person.name} ${deed.does}`);
        person.act(deed.does, deed.tab, deed.ms);
        return;
      }
      case "weather": {
        const person = this.#people.get(deed.who);
        if (person === undefined) return;
        tell?.(`${person.name}'s network: ${deed.weather}, for ${deed.ms} ms`);
        person.road.weather = deed.weather;
        this.#scheduler.plan({ label: "fine weather", delayMs: deed.ms }, () => {
          person.road.weather = null;
        });
        return;
      }
      case "thief":
        this.#thief(deed.victim)?.act(deed.does);
        return;
      case "node":
        this.#service.crash(deed.node, deed.ms);
        return;
      case "clock":
        this.#service.setClock(deed.node, deed.byMs);
        return;
      case "secrets":
        this.#service.changeSecrets();
        return;
      case "store":
        this.#service.failStore(deed.fault, deed.ms);
        return;
      case "loss":
        return void this.#service.loseTail(deed.ms);
      default:
        deed satisfies never;
    }
  }

  #thief(victim: number): Thief | null {
    const person = this.#people.get(victim);
    if (person === undefined) return null;
    const known = this.#thieves.get(victim) ?? new Thief(person, this.#parts);
    this.#thieves.set(victim, known);
    return known;
  }

  /** In the end all is calm, and everybody must be signed in again. */
  async #conclude(): Promise<void> {
    const { setting } = this.#plan;
    if (this.#judge.failures.length > 0) return;
    this.#parts.tell?.("all is calm from now on");
    this.#service.heal();
    for (const person of this.#people.values()) {
      person.road.weather = null;
      person.road.mishaps = 0;
      person.wake();
    }
    const untilMs = setting.lastsMs + (setting.bindsDevices ? CALM_WITH_KEYS_MS : CALM_MS);
    await this.#runUntil(untilMs);
    if (this.#judge.failures.length > 0) return;
    const concluded = Promise.all(
      [...this.#people.values()].map((person) => {
        person.isConcluding = true;
        return person.conclude();
      }),
    );
    let isOver = false;
    concluded.then(
      () => {
        isOver = true;
      },
      (error: unknown) => {
        isOver = true;
        this.#judge.fail("disagreement", `not everybody is answered: ${error}`);
      },
    );
    await this.#scheduler.runUntil(untilMs + MINUTE, () => isOver);
    if (!isOver) this.#judge.fail("disagreement", "not everybody is answered");
    this.#judge.concludes(this.#service.nodes);
    await this.#sweep();
  }

  /** One row for each session, and one mark and one entry at most, however often it was refreshed. */
  async #sweep(): Promise<void> {
    const far = Number.MAX_SAFE_INTEGER;
    const limits = { now: far, sessionsBefore: far, revocationsBefore: far, eventsBefore: far, limit: far };
    const found = await this.#store.contents.prune(limits);
    const { signedIn, revoked, repeated } = this.#judge.counts;
    if (found.sessions > signedIn || found.revocations > revoked || found.challenges > signedIn + repeated)
      this.#judge.fail("growth", `${JSON.stringify(found)} of ${signedIn} sign-ins`);
  }

  #figures(): Figures {
    const people = [...this.#people.values()];
    const sum = (of: (person: Person) => number) => people.reduce((total, person) => total + of(person), 0);
    const tabMs = sum((person) => (person instanceof BrowserPerson ? person.tabMs : 0));
    return {
      ...this.#judge.counts,
      signOuts: sum(({ signOuts }) => signOuts),
      lost: sum(({ road }) => road.lost),
      turns: this.#scheduler.ran,
      tabHours: tabMs / (60 * MINUTE),
    };
  }
}

function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
