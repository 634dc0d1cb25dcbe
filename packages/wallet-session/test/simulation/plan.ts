// What happens in one world, as data: who lives there, and what happens to them when. All of it follows from a seed, and a part
// can be left out without changing the rest.
import { Random } from "./random.ts";
import type { BrowserParts } from "./virtual-browser.ts";

/** When worlds begin. */
export const START_MS = 1_790_000_000_123;
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** How long access tokens live by default. */
const LONG_MS = 15 * MINUTE;

export interface Setting {
  readonly nodes: number;
  /** How far each node's clock is off. */
  readonly skewsMs: readonly number[];
  readonly accessTtlMs: number;
  /** A quarter of it at most. Requests live less than this. */
  readonly leewayMs: number;
  /** Whether browsers are offered to bind their sessions. */
  readonly bindsDevices: boolean;
  readonly idleTtlMs: number;
  readonly absoluteTtlMs: number;
  /** Whether nodes are woken when something is revoked; they read the log anyway. */
  readonly wakes: boolean;
  /** Of the store's steps, how many take a while. */
  readonly slowSteps: number;
  /** Of all requests, to how many something happens on the way. */
  readonly mishaps: number;
  /** Whether the store may lose its last writes, which makes worlds slower. */
  readonly losesTail: boolean;
  readonly lastsMs: number;
}

export type PersonPlan =
  | {
      readonly kind: "browser";
      readonly account: number;
      readonly tabs: number;
      readonly parts: BrowserParts;
    }
  | { readonly kind: "program"; readonly account: number; readonly dpop: boolean };

const WEATHERS = [
  "requests lost",
  "answers lost",
  "answers late",
  "requests late",
  "doubled",
  "unavailable",
  "limited",
  "a portal",
  "a stranger's 401s",
] as const;
export type Weather = (typeof WEATHERS)[number];

const PERSON_DOES = [
  "opens a tab",
  "closes a tab",
  "sleeps",
  "crashes",
  "fetches",
  "refreshes",
  "hurries",
  "loads a page",
  "checks",
  "ensures freshness",
  "is woken",
  "signs in again",
  "signs out",
  "ends the others",
  "sets the clock",
] as const;
export type PersonDoes = (typeof PERSON_DOES)[number];

const THIEF_DOES = [
  "copies",
  "copies the access token",
  "captures",
  "refreshes",
  "refreshes without the key",
  "fetches",
  "signs out",
] as const;
export type ThiefDoes = (typeof THIEF_DOES)[number];

const STORE_FAULTS = ["rejects before", "rejects after", "slow"] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

export type Deed = { readonly atMs: number } & (
  | {
      readonly kind: "person";
      readonly who: number;
      readonly does: PersonDoes;
      readonly tab: number;
      readonly ms: number;
    }
  | { readonly kind: "weather"; readonly who: number; readonly weather: Weather; readonly ms: number }
  | { readonly kind: "thief"; readonly victim: number; readonly does: ThiefDoes }
  | { readonly kind: "node"; readonly node: number; readonly ms: number }
  | { readonly kind: "clock"; readonly node: number; readonly byMs: number }
  | { readonly kind: "secrets" }
  | { readonly kind: "store"; readonly fault: StoreFault; readonly ms: number }
  | { readonly kind: "loss"; readonly ms: number }
);

export interface Plan {
  readonly seed: string;
  readonly setting: Setting;
  readonly people: readonly PersonPlan[];
  /** Of `people`, who takes part. The others' numbers, and so their chances, stay as they are. */
  readonly present: readonly number[];
  readonly deeds: readonly Deed[];
}

/** @param scale how much of everything; 1 is about two thousand refreshes */
export function planOf(seed: string, scale = 1): Plan {
  const random = new Random(`${seed} plan`);
  const setting = settingOf(random, scale);
  const count = Math.max(3, Math.round(40 * scale));
  const accounts = Math.ceil(count * 0.7);
  const { bindsDevices } = setting;
  const people = Array.from({ length: count }, () => personOf(random, accounts, bindsDevices));
  const deeds = Array.from({ length: Math.round(count * 7) }, () => deedOf(random, setting, people)).flat();
  deeds.sort((one, other) => one.atMs - other.atMs);
  return { seed, setting, people, present: [...people.keys()], deeds };
}

function settingOf(random: Random, scale: number): Setting {
  const nodes = random.pick([1, 2, 2, 2, 3]);
  // Most tokens are short, so that more is refreshed.
  const accessTtlMs = random.pick([
    30 * SECOND,
    30 * SECOND,
    30 * SECOND,
    MINUTE,
    MINUTE,
    2 * MINUTE,
    LONG_MS,
  ]);
  const isLong = accessTtlMs === LONG_MS;
  return {
    nodes,
    skewsMs: Array.from({ length: nodes }, () => random.below(1_000) - 500),
    accessTtlMs,
    leewayMs: Math.min(30 * SECOND, accessTtlMs / 4),
    // Browsers make few signatures, so only where tokens are long.
    bindsDevices: isLong,
    idleTtlMs: random.pick([7 * 24 * HOUR, 7 * 24 * HOUR, 12 * accessTtlMs]),
    absoluteTtlMs: random.pick([30 * 24 * HOUR, 30 * 24 * HOUR, 20 * accessTtlMs]),
    wakes: random.chance(0.5),
    slowSteps: random.pick([0.05, 0.2, 0.5]),
    mishaps: random.pick([0, 0.02, 0.1]),
    losesTail: random.chance(0.15),
    lastsMs: Math.round((isLong ? 2 * HOUR : 40 * accessTtlMs) * Math.max(0.5, Math.min(1, scale))),
  };
}

function personOf(random: Random, accounts: number, bindsDevices: boolean): PersonPlan {
  const account = random.below(accounts);
  if (random.chance(0.4)) return { kind: "program", account, dpop: random.chance(0.15) };
  const deviceKeys = bindsDevices && random.chance(0.3);
  const parts = {
    channels: deviceKeys || random.chance(0.8),
    locks: deviceKeys || random.chance(0.8),
    deviceKeys,
  };
  return { kind: "browser", account, tabs: random.pick([1, 1, 2, 3]), parts };
}

/** A theft comes with what is done with the loot. */
function deedOf(random: Random, setting: Setting, people: readonly PersonPlan[]): Deed[] {
  const { accessTtlMs, lastsMs, nodes } = setting;
  const atMs = random.below(lastsMs);
  const who = random.below(people.length);
  const dice = random.next();
  if (dice < 0.6) return [personDeed(random, setting, atMs, who)];
  if (dice < 0.74) {
    const ms = random.pick([accessTtlMs / 3, accessTtlMs, 4 * accessTtlMs]);
    return [{ atMs, kind: "weather", who, weather: random.pick(WEATHERS), ms }];
  }
  if (dice < 0.84) return theft(random, setting, atMs, who);
  if (dice < 0.9)
    return [{ atMs, kind: "node", node: random.below(nodes), ms: random.pick([0, 5 * SECOND, MINUTE]) }];
  if (dice < 0.97) {
    return [
      {
        atMs,
        kind: "store",
        fault: random.pick(STORE_FAULTS),
        ms: random.pick([500, 5 * SECOND, accessTtlMs / 2]),
      },
    ];
  }
  if (dice < 0.975) return [{ atMs, kind: "secrets" }];
  if (dice < 0.983) return lateRefreshes(setting, atMs, earlessOf(random, people) ?? who);
  if (dice < 0.99)
    return [{ atMs, kind: "clock", node: random.below(nodes), byMs: random.below(1_000) - 500 }];
  if (!setting.losesTail || random.chance(0.5)) {
    return random.chance(0.5) ? copyOfEnded(random, atMs, who) : spentBesideYoung(setting, atMs, who);
  }
  const ms = random.below(2_000);
  return [
    signOut(atMs - 400, who),
    signOut(atMs - 700, (who + 1) % people.length),
    { atMs, kind: "loss", ms },
  ];
}

const signOut = (atMs: number, who: number): Deed => {
  return { atMs: Math.max(0, atMs), kind: "person", who, does: "signs out", tab: 0, ms: 0 };
};

/** Each node in turn is shown an access token right after its session has ended. */
function copyOfEnded(random: Random, atMs: number, victim: number): Deed[] {
  const fetches = [0, 50, 100, 150, 200, 400, 1_100].map((afterMs): Deed => {
    return { atMs: atMs + 250 + afterMs + random.below(20), kind: "thief", victim, does: "fetches" };
  });
  return [{ atMs, kind: "thief", victim, does: "copies" }, signOut(atMs + 100, victim), ...fetches];
}

/** The jar is left alone where its access token is young, but not where its refresh token is spent. */
function spentBesideYoung({ lastsMs, leewayMs }: Setting, atMs: number, victim: number): Deed[] {
  const thief = { kind: "thief", victim } as const;
  const refreshedAtMs = atMs + 2.5 * leewayMs;
  const youngAtMs = refreshedAtMs + 1.3 * leewayMs;
  const deeds: Deed[] = [
    { ...thief, atMs, does: "copies" },
    { atMs: refreshedAtMs, kind: "person", who: victim, does: "refreshes", tab: 0, ms: 0 },
    { ...thief, atMs: youngAtMs, does: "copies the access token" },
    { ...thief, atMs: youngAtMs + 1, does: "refreshes without the key" },
  ];
  return deeds.filter((deed) => deed.atMs < lastsMs);
}

/** Somebody whose tabs do not hear of each other's sign-ins. */
function earlessOf(random: Random, people: readonly PersonPlan[]): number | undefined {
  const earless = [...people.keys()].filter((index) => {
    const person = people[index];
    return person?.kind === "browser" && person.tabs > 1 && !person.parts.channels;
  });
  return earless[random.below(earless.length)];
}

/** Their answers would come after those of another tab's sign-in. */
function lateRefreshes({ leewayMs }: Setting, atMs: number, who: number): Deed[] {
  const person = { kind: "person", who, tab: 0, ms: 0 } as const;
  return [
    // So that the jar is old enough for the next one.
    { ...person, atMs: Math.max(0, atMs - 2.1 * leewayMs), does: "refreshes" },
    { atMs, kind: "weather", who, weather: "answers late", ms: 200 },
    { ...person, atMs: atMs + 1, does: "refreshes" },
    { ...person, atMs: atMs + 300, does: "signs in again", tab: 1 },
  ];
}

function personDeed(random: Random, { accessTtlMs }: Setting, atMs: number, who: number): Deed {
  const ms = random.pick([MINUTE, accessTtlMs, 3 * accessTtlMs, 14 * accessTtlMs]);
  return { atMs, kind: "person", who, does: random.pick(PERSON_DOES), tab: random.below(4), ms };
}

function theft(random: Random, { lastsMs, accessTtlMs }: Setting, atMs: number, victim: number): Deed[] {
  const deeds: Deed[] = [{ atMs, kind: "thief", victim, does: random.pick(["copies", "captures"]) }];
  let at = atMs;
  for (let uses = random.below(5); uses >= 0; uses -= 1) {
    at += random.pick([0, 3 * SECOND, 20 * SECOND, accessTtlMs, 3 * accessTtlMs]);
    const does = random.pick<ThiefDoes>([
      "refreshes",
      "refreshes",
      "refreshes without the key",
      "copies the access token",
      "fetches",
      "signs out",
    ]);
    if (at < lastsMs && (does !== "signs out" || random.chance(0.3))) {
      deeds.push({ atMs: at, kind: "thief", victim, does });
    }
  }
  return deeds;
}
