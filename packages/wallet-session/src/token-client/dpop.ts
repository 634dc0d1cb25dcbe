import { problemCode } from "../client/problem.ts";
import type { DpopKeyPair, DpopKeyStorage } from "./dpop-key.ts";

/** What a proof speaks of. */
interface ProofSubject {
  readonly method: string;
  readonly url: string;
  readonly nonce: string | null;
  /** That goes with it; null at sign-in and refresh. */
  readonly accessToken: string | null;
  /** Milliseconds since 1970, by this program's clock. */
  readonly now: number;
}

export interface DpopKey {
  /** RFC 7638. */
  readonly thumbprint: string;
  /** A new one at each call: a proof counts once. */
  proof(subject: ProofSubject): Promise<string>;
}

async function dpopKey({ privateKey, publicKey }: DpopKeyPair): Promise<DpopKey> {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  // In the order of RFC 7638, §3.2.
  const jwk = { crv, kty, x, y };
  return {
    thumbprint: await digest(JSON.stringify(jwk)),
    async proof({ method, url, nonce, accessToken, now }) {
      const header = { typ: "dpop+jwt", alg: "ES256", jwk };
      const claims = {
        jti: crypto.randomUUID(),
        htm: method,
        htu: url.replace(/[?#].*/, ""),
        iat: Math.floor(now / 1_000),
        ...(nonce !== null && { nonce }),
        ...(accessToken !== null && { ath: await digest(accessToken) }),
      };
      const text = [header, claims].map((part) => base64url(utf8(JSON.stringify(part)))).join(".");
      const by = { name: "ECDSA", hash: "SHA-256" };
      return `${text}.${base64url(await crypto.subtle.sign(by, privateKey, utf8(text)))}`;
    },
  };
}

/** The keys of a client's sessions: of the one that it holds, and for the next sign-in. */
export interface DpopKeys {
  /** Null where the storage has lost it, or has another. */
  find(thumbprint: string): Promise<DpopKey | null>;
  forSignIn(): Promise<DpopKey>;
}

export function createDpopKeys(storage: DpopKeyStorage): DpopKeys {
  let known: DpopKey | null = null;
  return {
    async find(thumbprint) {
      if (known?.thumbprint === thumbprint) return known;
      const kept = await storage.load();
      known = kept && (await dpopKey(kept));
      return known?.thumbprint === thumbprint ? known : null;
    },
    async forSignIn() {
      known = await dpopKey((await storage.load()) ?? (await storage.create()));
      return known;
    },
  };
}

/** The newest nonce of a server, for the proofs to come (RFC 9449, §8.2). */
export interface KeptNonce {
  nonce: string | null;
}

/**
 * Sends with a proof. A refusal that asks for a nonce comes before any effect, and brings one: with that the request is sent once
 * more, unless it cannot be repeated.
 */
export async function sendProven(
  kept: KeptNonce,
  makeProof: (nonce: string | null) => Promise<string>,
  send: (proof: string) => Promise<Response>,
  isReplayable = true,
): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const response = await send(await makeProof(kept.nonce));
    const nonce = response.headers.get("dpop-nonce");
    kept.nonce = nonce ?? kept.nonce;
    if (nonce === null || !isReplayable || tries === 2 || !(await asksForNonce(response))) return response;
    await response.body?.cancel();
  }
}

/** By our code, or in the words of any server (RFC 9449, §9). */
async function asksForNonce(response: Response): Promise<boolean> {
  if (response.status !== 400 && response.status !== 401) return false;
  if (response.headers.get("www-authenticate")?.includes('"use_dpop_nonce"')) return true;
  return (await problemCode(response.clone())) === "proof_nonce";
}

const utf8 = (text: string) => new TextEncoder().encode(text);

async function digest(text: string): Promise<string> {
  return base64url(await crypto.subtle.digest("SHA-256", utf8(text)));
}

function base64url(bytes: ArrayBuffer | Uint8Array): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
