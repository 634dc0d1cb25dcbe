// What the model checker is to show: which worlds hold, and what fails without each rule.

/** The properties as the models number them. */
export const PROPERTIES = {
  P0: "The last token is never reached: the world proves nothing.",
  P1: "A bound session yields a token for a request that the honest client did not make, or twice for one proof.",
  P2: "The honest session is ended.",
  P3: "A generation is written twice.",
  P4: "A request that began after an acknowledged revocation yields a token.",
  P5: "A thief is not found out.",
  P6: "The honest client cannot go on.",
  P7: "A token older than the direct parent yields a token.",
  P8: "An acknowledged revocation that a running node remembers does not hold.",
} as const;
export type Property = keyof typeof PROPERTIES;

/** How the macros of the model are set. */
type Macros = readonly string[];

/** A run of the model. `fails`: the property that must fail, null where all must hold. */
export interface Run {
  readonly name: string;
  readonly world: string;
  readonly macros: Macros;
  readonly fails: Property | null;
}

const WORLDS: Record<string, Macros> = {
  DPOP: ["DPOP", "GENERATIONS=4", "PROOFS=4"],
  CLONE: ["CLONE", "GENERATIONS=4", "PROOFS=2"],
  DEVICE: ["DEVICE", "GENERATIONS=4", "PROOFS=3"],
  "DEVICE, two keys": ["DEVICE", "GENERATIONS=3", "PROOFS=2", "KEYS=2"],
  STOLEN: ["STOLEN", "GENERATIONS=3", "PROOFS=2"],
  SECRETS: ["SECRETS"],
  LOST: ["LOST"],
  "LOST, twice": ["LOST", "LOSSES=2", "WRITES=3", "TOKENS=3"],
};

/** The file in model/ where it is not rotation.pml. */
const FILES: Record<string, string> = { SECRETS: "secrets.pml", LOST: "lost-writes.pml" };

/** Minutes and gigabytes: by hand. */
const LARGE_WORLDS: Record<string, Macros> = {
  DPOP: ["DPOP", "GENERATIONS=5", "PROOFS=7"],
  CLONE: ["CLONE", "GENERATIONS=5", "PROOFS=4"],
  DEVICE: ["DEVICE", "GENERATIONS=5", "PROOFS=5"],
  "DEVICE, two tabs": ["DEVICE", "GENERATIONS=4", "PROOFS=3", "TABS=2"],
  "DEVICE, two keys": ["DEVICE", "GENERATIONS=4", "PROOFS=2", "KEYS=2"],
  STOLEN: ["STOLEN", "GENERATIONS=4", "PROOFS=2"],
  SECRETS: ["SECRETS", "GENERATIONS=8"],
  LOST: ["LOST", "LOSSES=2", "WRITES=5", "TOKENS=5"],
};

/** Large enough for a variant to fail. */
const SMALL: Record<string, Macros> = {
  ...WORLDS,
  DEVICE: ["DEVICE", "GENERATIONS=3", "PROOFS=2"],
  "DEVICE, two keys": ["DEVICE", "GENERATIONS=3", "PROOFS=3", "KEYS=2"],
  "DEVICE, longer": ["DEVICE", "GENERATIONS=4", "PROOFS=1"],
  "STOLEN, longer": ["STOLEN", "GENERATIONS=4", "PROOFS=1"],
};

/** Each rule that can be taken away, a world in which that shows, and the property that fails. */
const VARIANTS: readonly (readonly [rule: string, world: string, fails: Property])[] = [
  ["COMPARE_AND_SWAP", "DPOP", "P3"],
  ["LIVENESS_IN_SWAP", "DPOP", "P4"],
  ["REVOKED_FIRST", "DPOP", "P4"],
  ["DIRECT_PARENT", "CLONE", "P7"],
  ["REUSE", "CLONE", "P5"],
  ["RETRY_KEY", "DEVICE", "P2"],
  ["YOUNG_JAR", "DEVICE, longer", "P2"],
  ["BINDING_IN_WHERE", "DPOP", "P1"],
  ["ONE_KEY_FOR_LIFE", "DPOP", "P1"],
  ["BINDING_BY_ROTATION", "DEVICE", "P6"],
  ["BINDING_IN_SWAP", "STOLEN", "P5"],
  ["R_COMPARED", "STOLEN", "P5"],
  ["REFUSAL_WHILE_UNBOUND", "DEVICE", "P2"],
  ["CHALLENGE_GENERATION", "DPOP", "P1"],
  ["CHALLENGE_TOKEN", "DPOP", "P1"],
  ["CHALLENGE_TOKEN", "DPOP", "P2"],
  ["UNIQUE_CHALLENGE", "DEVICE", "P6"],
  ["FRESHNESS_FIRST", "DPOP", "P2"],
  ["PROVED_RETRY", "DPOP", "P2"],
  ["SINGLE_USE", "DPOP", "P1"],
  ["ATOMIC_SPENDING", "DPOP", "P1"],
  ["SPARING_NO_PROOF", "DPOP", "P2"],
  ["SPARING_OTHER_KEYS", "DEVICE, two keys", "P2"],
  ["FINAL_REFUSAL", "STOLEN", "P5"],
  ["ALARM_BEFORE_BINDING", "STOLEN", "P5"],
  ["PROOF_IN_LEEWAY", "DEVICE", "P1"],
  ["LEEWAY_AT_BINDING", "DEVICE", "P2"],
  ["SECOND_ROTATION_SPARED", "DEVICE", "P2"],
  ["LIMIT_OF_SPARING", "STOLEN, longer", "P5"],
  ["TELLING", "DEVICE", "P2"],
  ["ONE_AT_A_TIME", "DPOP", "P2"],
  ["LISTED_EVERYWHERE_FIRST", "SECRETS", "P2"],
  ["SECOND_IDLE_TIME", "SECRETS", "P2"],
  ["EVERY_SECRET_ON_RETRY", "SECRETS", "P2"],
  ["SECRET_IN_WHERE", "LOST", "P3"],
  ["WRONG_SECRET_SPARED", "LOST", "P2"],
  ["COMPARED_LOG", "LOST", "P8"],
  ["OWN_EXPECTED", "LOST", "P8"],
  ["OWN_EXPECTED_AGAIN", "LOST, twice", "P8"],
  ["PUTTING_BACK", "LOST", "P8"],
];

/** The full model in each world, and proof that the world goes as far as it may. */
export function fullRuns(isLarge: boolean): Run[] {
  const worlds = Object.entries(isLarge ? LARGE_WORLDS : WORLDS);
  return worlds.map(([world, macros]) => ({ name: "all rules", world, macros, fails: null }));
}

export function variantRuns(): Run[] {
  const witnesses = Object.entries(WORLDS).map(
    ([world, macros]): Run => ({
      name: "(reaches its end)",
      world,
      macros: [...macros, "WITNESS"],
      fails: "P0",
    }),
  );
  const variants = VARIANTS.map(([rule, world, fails]): Run => {
    const name = `WITHOUT_${rule}`;
    return { name, world, macros: [...(SMALL[world] ?? []), name, `ONLY=${fails.slice(1)}`], fails };
  });
  return [...variants, ...witnesses];
}

/** The file of the run's world. */
export function fileOf({ macros: [world = ""] }: Run): string {
  return FILES[world] ?? "rotation.pml";
}
