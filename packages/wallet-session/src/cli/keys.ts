import { systemClock, systemRandom } from "../clock.ts";
import { SIGNING_KEY_LEAD_MS } from "../limits.ts";
import type { SessionStore } from "../store.ts";
import { createKeyring, type Keyring } from "../tokens/secrets.ts";
import { createSigningKeys, type ListedSigningKey, type SigningKeys } from "../tokens/signing-keys.ts";
import { EXIT, type ExitCode, type Invocation } from "./command.ts";
import { accessTtlMs, authSecrets, withStore } from "./settings.ts";
import { minute, printTable, span, timestamp } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `keys list`: the keys that sign access tokens, and how each stands. */
export async function keysList({ terminal, options }: Invocation): Promise<ExitCode> {
  const keyring = createKeyring(authSecrets(terminal));
  const keys = await withStore(terminal, (store) => signingKeys(terminal, store, keyring).list());
  if (options.json === true) {
    terminal.out(JSON.stringify({ keys: keys.map((key) => describe(key, keyring)) }));
    return EXIT.ok;
  }
  const rows = keys.map((key) => row(key, keyring));
  if (rows.length > 0) printTable(terminal, HEADINGS, rows);
  else terminal.note("There is no signing key yet: the first server that starts makes one.");
  if (keys.some(({ state }) => state === "unreadable")) {
    terminal.note(
      "An unreadable key rests under a secret that is not in AUTH_SECRET. Tokens of it are refused.",
    );
  }
  return EXIT.ok;
}

/** `keys rotate`: publishes a new key, which signs once everybody can know it. */
export async function keysRotate({ terminal, options }: Invocation): Promise<ExitCode> {
  const keyring = createKeyring(authSecrets(terminal));
  const added = await withStore(terminal, async (store) => {
    const keys = signingKeys(terminal, store, keyring);
    const kid = await keys.rotate();
    return (await keys.list()).find((key) => key.kid === kid);
  });
  if (added === undefined) throw new Error("The new key is not in the store.");
  const { kid, signsFrom } = added;
  terminal.out(
    options.json === true
      ? JSON.stringify({ kid, signs_from: timestamp(signsFrom) })
      : `Key ${kid} is published. It signs from ${minute(signsFrom)}, in ${span(SIGNING_KEY_LEAD_MS)}.`,
  );
  return EXIT.ok;
}

/** Everything about the keys and nothing of the sessions. */
export function signingKeys(terminal: Terminal, store: SessionStore, keyring: Keyring): SigningKeys {
  return createSigningKeys({
    store,
    keyring,
    clock: systemClock,
    random: systemRandom,
    accessTtlMs: accessTtlMs(terminal),
    onEvent: () => {},
  });
}

const HEADINGS = ["KEY ID", "STATE", "CREATED", "SIGNS FROM", "SEALED UNDER"];

function row(key: ListedSigningKey, keyring: Keyring): string[] {
  return [key.kid, key.state, minute(key.createdAt), minute(key.signsFrom), sealOf(key, keyring)];
}

/** By the key id of the secret, which tells nothing of it, and its place in AUTH_SECRET. */
function sealOf({ sealedUnder }: ListedSigningKey, keyring: Keyring): string {
  if (sealedUnder === null) return "nothing known";
  const place = placeOf(sealedUnder, keyring);
  return `${hex(sealedUnder)} (${place === null ? "not in AUTH_SECRET" : `secret ${place} of AUTH_SECRET`})`;
}

/** 1 for the secret in front; null for one that is not listed. */
function placeOf(keyId: number, { all }: Keyring): number | null {
  const index = all.findIndex((keys) => keys.keyId === keyId);
  return index === -1 ? null : index + 1;
}

function hex(keyId: number): string {
  return keyId.toString(16).padStart(8, "0");
}

function describe(key: ListedSigningKey, keyring: Keyring) {
  return {
    kid: key.kid,
    state: key.state,
    created_at: timestamp(key.createdAt),
    signs_from: timestamp(key.signsFrom),
    sealed_under: key.sealedUnder === null ? null : hex(key.sealedUnder),
    secret: key.sealedUnder === null ? null : placeOf(key.sealedUnder, keyring),
  };
}
