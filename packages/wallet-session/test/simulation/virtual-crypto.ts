import { createHash, KeyObject, sign } from "node:crypto";

/** As `crypto.subtle` takes them. */
type Arguments = readonly unknown[];
type Method = (...args: Arguments) => Promise<unknown>;

const ELSEWHERE = ["generateKey", "exportKey", "importKey", "verify"] as const;
let working = 0;
const keyObjects = new WeakMap<object, KeyObject>();

/** Whether WebCrypto is at work on another thread, which takes real time. */
export function worksElsewhere(): boolean {
  return working > 0;
}

/**
 * Replaces WebCrypto in this process while `work` runs, so that nothing waits for another thread: signatures and hashes are the
 * same, but made on this one. What is left of it is counted by {@link worksElsewhere}.
 */
export async function withVirtualCrypto<T>(work: () => Promise<T>): Promise<T> {
  const { subtle } = crypto;
  const methods: Record<string, Method> = { sign: signHere, digest: digestHere };
  for (const name of ELSEWHERE) {
    const original = Reflect.get(subtle, name) as Method;
    methods[name] = (...args) => counted(original.apply(subtle, [...args]));
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(subtle, name, { configurable: true, value });
  }
  try {
    return await work();
  } finally {
    for (const name of Object.keys(methods)) Reflect.deleteProperty(subtle, name);
  }
}

async function counted(promise: Promise<unknown>): Promise<unknown> {
  working += 1;
  try {
    return await promise;
  } finally {
    working -= 1;
  }
}

async function signHere(...[algorithm, key, data]: Arguments): Promise<ArrayBuffer> {
  const cryptoKey = key as CryptoKey;
  const privateKey = keyObjectOf(cryptoKey);
  const name = typeof algorithm === "string" ? algorithm : (algorithm as { name: string }).name;
  const bytes = data as Uint8Array;
  const signature =
    name === "ECDSA"
      ? sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" })
      : sign(null, bytes, privateKey);
  return new Uint8Array(signature).buffer;
}

async function digestHere(...[algorithm, data]: Arguments): Promise<ArrayBuffer> {
  const name = String(typeof algorithm === "string" ? algorithm : (algorithm as { name: string }).name);
  return new Uint8Array(
    createHash(name.replace("-", "").toLowerCase())
      .update(data as Uint8Array)
      .digest(),
  ).buffer;
}

/** Node warns of keys that are not extractable: this one does not leave the process. */
function keyObjectOf(key: CryptoKey): KeyObject {
  const known = keyObjects.get(key);
  if (known !== undefined) return known;
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    const made = KeyObject.from(key as Parameters<typeof KeyObject.from>[0]);
    keyObjects.set(key, made);
    return made;
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
