import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type DpopKeyPair, type DpopKeyStorage, newKeyPair } from "../token-client/dpop-key.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

const { subtle } = crypto;
const P_256 = { name: "ECDSA", namedCurve: "P-256" };

/**
 * Keeps the key in a file of its own for its owner alone (mode 0600), beside that of {@link fileStorage}. Node has no place for a
 * key that nobody can read: the file holds it as a JWK (RFC 7517), **with its private part**. Who copies this file
 * and the session's has the session; who finds the tokens alone, as in a log or a backup of the session file, has nothing.
 *
 * Made by the process that signs in, while it holds the lock of the session's storage.
 * @example
 * ```ts
 * import { createTokenClient } from "wallet-session/token-client";
 * import { fileKey, fileStorage } from "wallet-session/node";
 *
 * export const client = createTokenClient({
 *   url: "https://pay.example.com/api/auth",
 *   storage: fileStorage("./session.json"),
 *   dpop: { key: fileKey("./session.key") },
 * });
 * ```
 */
export function fileKey(path: string): DpopKeyStorage {
  const file = resolve(path);
  return {
    async load() {
      const text = await readPrivateFile(file);
      return text === null ? null : readKeyPair(text);
    },

    async create() {
      const { privateKey } = await newKeyPair(true);
      const { kty, crv, x, y, d } = await subtle.exportKey("jwk", privateKey);
      const text = JSON.stringify({ kty, crv, x, y, d });
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writePrivateFile(file, text);
      return readKeyPair(text);
    },
  };
}

/** @throws where it is no such key: a fault of the file, which ends no session. Of its text nothing is said. */
async function readKeyPair(text: string): Promise<DpopKeyPair> {
  try {
    const jwk: Readonly<Record<string, string>> = JSON.parse(text);
    const { d: _, ...open } = jwk;
    const [privateKey, publicKey] = await Promise.all([
      subtle.importKey("jwk", jwk, P_256, false, ["sign"]),
      subtle.importKey("jwk", open, P_256, true, ["verify"]),
    ]);
    return { privateKey, publicKey };
  } catch {
    throw new TypeError("The file holds something else than a key of this client.");
  }
}
