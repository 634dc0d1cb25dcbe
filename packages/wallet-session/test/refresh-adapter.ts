// The adapters by which the refresh conformance suite meets this service: by body with a retry key, by cookie, by DPoP.
import type { Adapter, RefreshAnswer, Tokens, Use } from "../../refresh-conformance/src/index.ts";
import { cookieNames } from "../src/cookie-names.ts";
import { createWalletKeypair } from "../src/testing/wallet-keypair.ts";
import { createTestKey, dpopProof, hashOf, type TestKey } from "./proofs.ts";

export const REFRESH_KINDS = ["body", "cookie", "dpop"] as const;
type Kind = (typeof REFRESH_KINDS)[number];

/** A service somewhere, under the settings that the suite has to know. */
export interface Service extends Pick<Adapter, "wait" | "restart" | "breakStore" | "storedRows"> {
  readonly name: string;
  readonly publicUrl: string;
  readonly cookieName: string;
  readonly idleMs: number;
  readonly leewayMs: number;
  /** Sends to a path of the service. */
  send(path: string, init: RequestInit): Promise<Response>;
  /** By the service's clock. */
  now(): number;
}

/** What docs/promises.md promises of every session, and what depends on how it is held. */
function claimsOf(kind: Kind, { idleMs, leewayMs }: Service): Adapter["claims"] {
  const always = {
    singleUse: true,
    revocation: true,
    accessRevokedWithinMs: 0,
    durable: true,
    idleExpiryMs: idleMs,
    bounded: true,
    faults: true,
  };
  const unlimited = Number.POSITIVE_INFINITY;
  switch (kind) {
    case "body":
      return { ...always, retry: { by: "key", withinMs: unlimited }, theft: "ends-session" };
    case "cookie":
      return { ...always, retry: { by: "token", withinMs: leewayMs }, theft: "ends-session", tabs: true };
    case "dpop":
      return { ...always, retry: { by: "proof", withinMs: unlimited }, theft: "copy-is-useless", tabs: true };
  }
}

/** What the holder of a DPoP session has besides. */
interface Proving {
  readonly key: TestKey;
  readonly nonce: string | null;
}

const provingOf = ({ more }: Tokens): Proving | null => (more as Proving | undefined) ?? null;

export function refreshAdapter(kind: Kind, service: Service): Adapter {
  const names = cookieNames(service.cookieName);
  const post = (path: string, headers: Record<string, string>, body: object) =>
    service.send(`/api/auth/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const proof = ({ key, nonce }: Proving, path: string, more: object = {}) =>
    dpopProof(key, {
      htu: `${service.publicUrl}/api/auth/${path}`,
      iat: Math.floor(service.now() / 1_000),
      ...(nonce && { nonce }),
      ...more,
    });

  /** A refresh token in its cookie, as a browser has it whose access cookie has ended, or in the body. */
  const carried = (tokens: Tokens) =>
    kind === "cookie"
      ? { headers: { Origin: service.publicUrl, Cookie: tokens.refresh }, body: {} }
      : { headers: {}, body: { refresh_token: tokens.refresh } };

  async function tokensOf(response: Response, key: TestKey | null): Promise<Tokens> {
    const { access_token: access = "", refresh_token: refresh = "" } = await response.json();
    const nonce = response.headers.get("dpop-nonce");
    if (kind !== "cookie") return { access, refresh, ...(key && { more: { key, nonce } }) };
    const jar = new Map(response.headers.getSetCookie().map((line) => pair(line)));
    return {
      access: jar.get(names.access) ?? null,
      refresh: [names.refresh, names.session].map((name) => `${name}=${jar.get(name)}`).join("; "),
    };
  }

  async function signIn(): Promise<Tokens> {
    const wallet = createWalletKeypair();
    const asked = await service.send(`/api/auth/wallet?account=${wallet.account}`, {});
    const key = kind === "dpop" ? createTestKey() : null;
    const headers = {
      ...(key && { DPoP: proof({ key, nonce: null }, "wallet") }),
      ...(kind === "cookie" && { "Session-Transport": "cookie", Origin: service.publicUrl }),
    };
    const response = await post("wallet", headers, { transaction: wallet.sign(await asked.json()) });
    if (!response.ok) throw new Error(`sign-in: ${response.status} ${await response.text()}`);
    return tokensOf(response, key);
  }

  async function refresh(tokens: Tokens, retryKey?: string): Promise<RefreshAnswer> {
    const proving = provingOf(tokens);
    const { headers: carrying, body } = carried(tokens);
    const headers = {
      ...carrying,
      ...(proving && { DPoP: proof(proving, "refresh") }),
      ...(retryKey !== undefined && kind === "body" && { "Idempotency-Key": retryKey }),
    };
    /** The nonce of a refusal that asks for another. */
    let asked: string | null = null;
    const send = async (): Promise<RefreshAnswer> => {
      const response = await post("refresh", headers, body);
      if (response.ok) {
        const renewed = await tokensOf(response, proving?.key ?? null);
        return { kind: "renewed", tokens: renewed, answer: "200", again: () => send().catch(unavailable) };
      }
      const { code } = await response.json();
      asked = code === "proof_nonce" ? response.headers.get("dpop-nonce") : null;
      const put = response.status >= 500 || response.status === 429 ? "unavailable" : "refused";
      return { kind: put, answer: `${response.status} ${code}` };
    };
    const answer = await send().catch(unavailable);
    // As RFC 9449, section 8, says: the proof is made anew, with the nonce that was sent.
    if (proving === null || asked === null || asked === proving.nonce) return answer;
    return refresh({ ...tokens, more: { ...proving, nonce: asked } }, retryKey);
  }

  function accessHeaders(tokens: Tokens): Record<string, string> {
    const proving = provingOf(tokens);
    const access = tokens.access ?? "";
    if (kind === "cookie") return { Cookie: `${names.access}=${access}` };
    if (proving === null) return { Authorization: `Bearer ${access}` };
    const claims = { htm: "GET", ath: hashOf(access) };
    return { Authorization: `DPoP ${access}`, DPoP: proof(proving, "sessions", claims) };
  }

  async function tryAccess(tokens: Tokens): Promise<Use> {
    const response = await service.send("/api/auth/sessions", { headers: accessHeaders(tokens) });
    await response.arrayBuffer();
    const kindOfNo = response.status >= 500 ? "unavailable" : "refused";
    return { kind: response.ok ? "accepted" : kindOfNo, answer: String(response.status) };
  }

  const { wait, restart, breakStore, storedRows } = service;
  return {
    server: `wallet-session by ${kind}, ${service.name}`,
    claims: claimsOf(kind, service),
    signIn,
    refresh,
    tryAccess,
    async revoke(tokens) {
      const { headers, body } = carried(tokens);
      return (await post("logout", headers, body)).status === 204;
    },
    wait,
    // The key of a DPoP session stays where it is; the thief has one of his own.
    stolenCopy: (tokens) => {
      const proving = provingOf(tokens);
      return proving ? { ...tokens, more: { ...proving, key: createTestKey() } } : tokens;
    },
    ...(restart && { restart }),
    ...(breakStore && { breakStore }),
    ...(storedRows && { storedRows }),
  };
}

const unavailable = (error: unknown): RefreshAnswer => ({ kind: "unavailable", answer: String(error) });

function pair(setCookie: string): [string, string] {
  const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(setCookie) ?? [];
  return [name, value];
}
