import { existsSync } from "node:fs";
import { systemClock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { SessionError } from "../../errors.ts";
import { STORE_SLOW_MS } from "../../limits.ts";
import { describeFault } from "../../logging/event-log.ts";
import { schemaOf } from "../../server/open-store.ts";
import type { SessionStore } from "../../store.ts";
import { UnfitStore } from "../../stores/unfit-store.ts";
import { createKeyring } from "../../tokens/secrets.ts";
import type { ListedSigningKey } from "../../tokens/signing-keys.ts";
import { signingKeys } from "../keys.ts";
import { withStore } from "../settings.ts";
import { count } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { type Finding, fail, ok, warn } from "./check.ts";

const PINGS = 5;

/** The store, its schema and the keys in it. Changes nothing. */
export async function storeFindings(terminal: Terminal, config: Config): Promise<Finding[]> {
  const { databaseUrl, production } = config;
  if (databaseUrl.kind === "memory") {
    const detail = "sessions in memory end with the process, and one process alone can serve them";
    const advice = "Set DATABASE_URL to sqlite:PATH, postgres://… or redis://….";
    return [production ? warn("store", detail, advice) : ok("store", detail)];
  }
  if (databaseUrl.kind === "sqlite" && !existsSync(databaseUrl.path)) {
    return [ok("store", `${databaseUrl.path} is not there yet: the first server that starts makes it`)];
  }
  try {
    const schema = await schemaFinding(config);
    // Looking further would bring it up to date.
    if (schema !== null && schema.status !== "ok") return [schema];
    return [...(schema === null ? [] : [schema]), ...(await openedFindings(terminal, config))];
  } catch (error) {
    const cause = error instanceof SessionError ? error.cause : error;
    if (cause instanceof UnfitStore) return [fail("store", cause.message, "Servers refuse to start on it.")];
    return [
      fail(
        "store",
        `${databaseUrl.kind} failed: ${describeFault(cause)}`,
        "Until it does, all requests are answered 503 and nobody is signed out. Check DATABASE_URL, and that it can be reached from here.",
      ),
    ];
  }
}

async function schemaFinding({ databaseUrl }: Config): Promise<Finding | null> {
  const schema = schemaOf(databaseUrl);
  if (schema === null) return null;
  const { version, known } = await schema.state();
  if (version === known) return ok("schema", `version ${version}`);
  return version < known
    ? warn(
        "schema",
        `version ${version}, and this version of wallet-session brings ${known}`,
        "npx wallet-session migrate applies it; so does a server that starts, unless DATABASE_MIGRATE is off.",
      )
    : warn(
        "schema",
        `version ${version}, which is newer than the ${known} that this version of wallet-session knows`,
        "Run the doctor of the version that the servers run.",
      );
}

async function openedFindings(terminal: Terminal, config: Config): Promise<Finding[]> {
  const warnings: string[] = [];
  const findings = await withStore({ ...terminal, note: (line) => warnings.push(line) }, async (store) => [
    await answerFinding(store, config),
    ...(await keyFindings(terminal, store, config)),
  ]);
  const advice = "docs/stores.md says what each setting of the server means for the sessions.";
  return [
    ...findings,
    ...warnings.map((warning) => warn("durability", warning.replace(/^Warning: /, ""), advice)),
  ];
}

async function answerFinding(store: SessionStore, { databaseUrl }: Config): Promise<Finding> {
  // The first one connects.
  await store.ping();
  const times: number[] = [];
  for (let ping = 0; ping < PINGS; ping += 1) {
    const begun = performance.now();
    await store.ping();
    times.push(performance.now() - begun);
  }
  const median = times.sort((a, b) => a - b)[PINGS >> 1] ?? 0;
  const live = await store.countSessions(systemClock.now());
  const detail = `${databaseUrl.kind} answers in ${median.toFixed(1)} ms, and has ${count(live, "session")}`;
  if (median < STORE_SLOW_MS) return ok("store", detail);
  return warn("store", detail, "Each refresh waits for it once: bring it nearer.");
}

async function keyFindings(terminal: Terminal, store: SessionStore, config: Config): Promise<Finding[]> {
  const keyring = createKeyring(config.authSecrets);
  const keys = await signingKeys(terminal, store, keyring).list();
  if (keys.length === 0) return [ok("keys", "none yet: the first server that starts makes one")];
  const unreadable = keys.filter(({ state }) => state === "unreadable");
  if (unreadable.length === keys.length) {
    return [
      fail(
        "keys",
        `none of ${count(keys.length, "signing key")} opens under AUTH_SECRET`,
        "Is it the secret of the servers on this store? One that was replaced stays behind the new one for REFRESH_IDLE_TTL.",
      ),
    ];
  }
  return [
    unreadable.length === 0 ? ok("keys", inWords(keys)) : warn("keys", inWords(keys), UNREADABLE_ADVICE),
    ...(keys.some(({ sealedUnder }) => sealedUnder === keyring.signing.keyId) ? [] : [NOT_SEALED_IN_FRONT]),
  ];
}

const UNREADABLE_ADVICE =
  "Tokens of an unreadable key are refused. If its secret was dropped before REFRESH_IDLE_TTL was over, list it again, behind the new one.";

const NOT_SEALED_IN_FRONT = warn(
  "keys",
  "no key rests under the first secret of AUTH_SECRET",
  "A server that starts with these settings publishes one. If the servers have another order, use theirs.",
);

function inWords(keys: readonly ListedSigningKey[]): string {
  const states = (["signing", "coming", "verifying", "retired", "unreadable"] as const).map((state) => {
    const { length } = keys.filter((key) => key.state === state);
    return length === 0 ? [] : `${length} ${state}`;
  });
  return states.flat().join(", ");
}
