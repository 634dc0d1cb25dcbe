import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
} from "node:crypto";
import type { Clock, RandomBytes } from "../clock.ts";
import { elapsedMs } from "../clock.ts";
import type { EventSink } from "../events.ts";
import { CLOCK_TOLERANCE_MS, SIGNING_KEY_LEAD_MS } from "../limits.ts";
import type { SealedSigningKey, SessionStore } from "../store.ts";
import { sha256 } from "./hmac.ts";
import type { Keyring } from "./secrets.ts";

/** A token with an unknown key id makes a node read the keys again, no more often than this. */
const SIGNING_KEY_RELOAD_MS = 5_000;

/**
 * `coming`: published, its time to sign is ahead; `signing`: signs now; `verifying`: a token of it may still live; `retired`:
 * none can; `unreadable`: no secret that is listed opens it, so it does nothing.
 */
type SigningKeyState = "coming" | "signing" | "verifying" | "retired" | "unreadable";

export interface ListedSigningKey {
  readonly kid: string;
  readonly createdAt: number;
  readonly signsFrom: number;
  readonly state: SigningKeyState;
  /** The key id of the secret that it rests under; null for anything that is no seal. */
  readonly sealedUnder: number | null;
}

type OpenKey = NonNullable<ReturnType<typeof openKey>>;

const SEED_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** PKCS #8 of an Ed25519 private key is this and the 32 bytes of its seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

export type SigningKeys = ReturnType<typeof createSigningKeys>;

/** The keys that sign access tokens: made on first start, shared by all nodes through the store, sealed there. */
export function createSigningKeys(options: {
  readonly store: Pick<SessionStore, "signingKeys" | "addSigningKey">;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly accessTtlMs: number;
  readonly onEvent: EventSink;
}) {
  const { store, keyring, clock, random, accessTtlMs, onEvent } = options;
  let open: readonly OpenKey[] = [];
  let loadedAt = Number.NEGATIVE_INFINITY;
  let newestKid: string | null = null;
  /** Whether a key rests under the secret in front. */
  let sealedInFront = false;
  let reloading: Promise<unknown> | null = null;
  const reportedUnreadable = new Set<string>();

  async function read(): Promise<readonly SealedSigningKey[]> {
    const stored = await store.signingKeys();
    open = stored.map(openKnown).filter((key) => key !== null);
    newestKid = stored.at(-1)?.kid ?? null;
    sealedInFront = stored.some((key) => sealedUnder(key) === keyring.signing.keyId);
    loadedAt = clock.now();
    return stored;
  }

  function openKnown(stored: SealedSigningKey): OpenKey | null {
    const known = open.find((key) => key.kid === stored.kid);
    if (known !== undefined) return known;
    const opened = openKey(keyring, stored);
    if (opened === null) reportUnreadable(stored.kid);
    return opened;
  }

  /** Once for each key: it stays in the store, and is met again at every reading. */
  function reportUnreadable(kid: string): void {
    if (reportedUnreadable.has(kid)) return;
    reportedUnreadable.add(kid);
    onEvent({ type: "signing_key_unreadable", kid });
  }

  async function add(signsFrom: number): Promise<string | null> {
    const key = sealKey(keyring, random, clock.now(), signsFrom);
    const added = await store.addSigningKey(key, newestKid);
    await read();
    if (added) onEvent({ type: "signing_key_added", kid: key.kid });
    return added ? key.kid : null;
  }

  /**
   * Takes over what other nodes have added; makes the first key if there is none that opens, and the next one if none rests
   * under the secret in front.
   */
  async function load(): Promise<void> {
    await read();
    // A node that lost the race to add the first key finds the winner's.
    while (open.length === 0) await add(clock.now());
    // After a change of secrets: the key that takes over must be known everywhere before the older secret, and with it
    // every key that rests under it, goes.
    while (!sealedInFront) await add(clock.now() + SIGNING_KEY_LEAD_MS);
  }

  /** Where none has come of age, the first one signs all the same. */
  function signingAt(now: number): OpenKey | undefined {
    return open.findLast((candidate) => candidate.signsFrom <= now) ?? open[0];
  }

  /** All tokens that it has signed are over. */
  function isRetired(index: number, now: number): boolean {
    return open.slice(index + 1).some((later) => later.signsFrom + accessTtlMs + CLOCK_TOLERANCE_MS < now);
  }

  /** The newest key whose time to sign has come. */
  async function signer() {
    if (open.length === 0) await load();
    const key = signingAt(clock.now());
    if (key === undefined) throw new Error("no signing key after loading");
    return { kid: key.kid, key: key.signing };
  }

  /** The public key of that id, or null. An unknown id makes a node look into the store, at most every few seconds. */
  async function verifier(kid: string): Promise<KeyObject | null> {
    const find = () => open.find((key) => key.kid === kid)?.verifying;
    const known = find();
    if (known !== undefined) return known;
    if (elapsedMs(loadedAt, clock.now()) < SIGNING_KEY_RELOAD_MS) return null;
    // Shared: any client can send unknown ids, and many at once.
    reloading ??= read().finally(() => {
      reloading = null;
    });
    await reloading;
    return find() ?? null;
  }

  /** Public keys that sign, will sign, or have signed a token that may still live. */
  async function jwks() {
    if (open.length === 0) await load();
    const now = clock.now();
    return { keys: open.filter((_, index) => !isRetired(index, now)).map((key) => key.jwk) };
  }

  /** Publishes a new key now, which signs from the lead time on. Returns its id. */
  async function rotate(): Promise<string> {
    await load();
    for (;;) {
      const kid = await add(clock.now() + SIGNING_KEY_LEAD_MS);
      if (kid !== null) return kid;
    }
  }

  function stateOf(kid: string, now: number): SigningKeyState {
    const index = open.findIndex((key) => key.kid === kid);
    const key = open[index];
    if (key === undefined) return "unreadable";
    if (key === signingAt(now)) return "signing";
    if (key.signsFrom > now) return "coming";
    return isRetired(index, now) ? "retired" : "verifying";
  }

  /** All keys in the store, in the order in which they were added. Makes none. */
  async function list(): Promise<ListedSigningKey[]> {
    const stored = await read();
    const now = clock.now();
    return stored.map((key) => ({
      kid: key.kid,
      createdAt: key.createdAt,
      signsFrom: key.signsFrom,
      state: stateOf(key.kid, now),
      sealedUnder: sealedUnder(key),
    }));
  }

  return { signer, verifier, jwks, rotate, list, load };
}

/** The key id is the thumbprint of the public key (RFC 7638) and is authenticated by the seal. */
function sealKey(
  keyring: Keyring,
  random: RandomBytes,
  createdAt: number,
  signsFrom: number,
): SealedSigningKey {
  const seed = random(SEED_BYTES);
  const { jwk, kid } = describe(privateKeyOf(seed));
  const { keyId, seal } = keyring.signing;
  const iv = random(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", seal, iv).setAAD(Buffer.from(kid));
  const box = Buffer.concat([cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(keyId);
  return {
    kid,
    publicKey: Buffer.from(jwk.x ?? "", "base64url"),
    sealed: Buffer.concat([header, iv, box]),
    createdAt,
    signsFrom,
  };
}

/** Null for a key that none of the listed secrets opens: it neither signs nor verifies. */
function openKey(keyring: Keyring, stored: SealedSigningKey) {
  const seed = unseal(keyring, stored);
  if (seed === null) return null;
  const privateKey = privateKeyOf(seed);
  const { jwk, kid } = describe(privateKey);
  if (kid !== stored.kid) return null;
  return {
    kid,
    signsFrom: stored.signsFrom,
    jwk: { ...jwk, kid, use: "sig", alg: "EdDSA" } as JsonWebKey,
    signing: privateKey,
    verifying: createPublicKey(privateKey),
  };
}

/** The id of the secret whose seal this claims to be; null for anything that is no seal. */
function sealedUnder({ sealed }: SealedSigningKey): number | null {
  const isSeal = sealed.length === 4 + IV_BYTES + SEED_BYTES + TAG_BYTES;
  return isSeal ? Buffer.from(sealed).readUInt32BE(0) : null;
}

function unseal(keyring: Keyring, stored: SealedSigningKey): Buffer | null {
  const keyId = sealedUnder(stored);
  const keys = keyId === null ? undefined : keyring.find(keyId);
  if (keys === undefined) return null;
  const sealed = Buffer.from(stored.sealed);
  const iv = sealed.subarray(4, 4 + IV_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", keys.seal, iv)
    .setAAD(Buffer.from(stored.kid))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(4 + IV_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
}

function describe(privateKey: KeyObject) {
  const { kty, crv, x } = createPublicKey(privateKey).export({ format: "jwk" });
  // These members in this order: RFC 7638, section 3.2.
  const kid = sha256(Buffer.from(JSON.stringify({ crv, kty, x }))).toString("base64url");
  return { jwk: { kty, crv, x }, kid };
}
