/** A key of WebCrypto, in browsers and elsewhere. */
type Key = Parameters<typeof crypto.subtle.sign>[1];

/** ECDSA on P-256. */
export interface DpopKeyPair {
  readonly privateKey: Key;
  readonly publicKey: Key;
}

/** Where a program keeps the key that its sessions are bound to (RFC 9449). It makes the key, too: what keeps one decides its form. */
export interface DpopKeyStorage {
  /** The key pair that was kept; null where there is none. */
  load(): Promise<DpopKeyPair | null>;
  /** A new key pair, once it is there to stay. Called where {@link DpopKeyStorage.load} gave null. */
  create(): Promise<DpopKeyPair>;
}

const P_256 = { name: "ECDSA", namedCurve: "P-256" };

/** A key pair whose private key no script can read, unless it `isExtractable`. */
export function newKeyPair(isExtractable = false): Promise<DpopKeyPair> {
  return crypto.subtle.generateKey(P_256, isExtractable, ["sign", "verify"]);
}

/**
 * A key that ends with the program, beside {@link memoryStorage}.
 * @example
 * ```ts
 * import { createTokenClient, memoryKey, memoryStorage } from "wallet-session/token-client";
 *
 * export const client = createTokenClient({
 *   url: "https://pay.example.com/api/auth",
 *   storage: memoryStorage(),
 *   dpop: { key: memoryKey() },
 * });
 * ```
 */
export function memoryKey(): DpopKeyStorage {
  let kept: DpopKeyPair | null = null;
  return {
    load: async () => kept,
    async create() {
      kept = await newKeyPair();
      return kept;
    },
  };
}

const STORE = "keys";
const KEY = "dpop";

/**
 * A key in the IndexedDB of the page's origin. The browser keeps it as an object that signs: no script, and no copy of the page's
 * storage, has the key itself. All pages of the origin share the key of one `name`.
 *
 * A browser that clears the site's data, as Safari does after a week without a visit, clears the key: the next use signs in anew.
 * @example
 * ```ts
 * import { createTokenClient, indexedDbKey, memoryStorage } from "wallet-session/token-client";
 *
 * export const client = createTokenClient({
 *   url: "https://pay.example.com/api/auth",
 *   storage: memoryStorage(),
 *   dpop: { key: indexedDbKey() },
 * });
 * ```
 */
export function indexedDbKey(name = "wallet-session"): DpopKeyStorage {
  return {
    load: () => inStore(name, "readonly", (keys, found) => found(keys.get(KEY))),
    async create() {
      const made = await newKeyPair();
      const kept = await inStore(name, "readwrite", (keys, found) => {
        // Another page may have been first: `add` leaves its key there.
        keys.add(made, KEY).onerror = (event) => event.preventDefault();
        found(keys.get(KEY));
      });
      return kept ?? made;
    },
  };
}

type Found = (request: IDBRequest<DpopKeyPair | undefined>) => void;

/** Resolves with what was found once the transaction is on disk. */
async function inStore(
  name: string,
  mode: IDBTransactionMode,
  work: (keys: IDBObjectStore, found: Found) => void,
): Promise<DpopKeyPair | null> {
  const database = await openDatabase(name);
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      let request: Parameters<Found>[0] | undefined;
      work(transaction.objectStore(STORE), (asked) => {
        request = asked;
      });
      transaction.oncomplete = () => resolve(request?.result ?? null);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}
