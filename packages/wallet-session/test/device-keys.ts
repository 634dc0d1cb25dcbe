// What a browser does with device keys, as Chromium 150 does it (Device Bound Session Credentials): it registers a key where an answer
// offers that, holds requests that lack the bound cookie, proves its key, and ends a session by the answers that end it there.
import { createTestKey, deviceProof, registrationProof, type TestKey } from "./proofs.ts";

interface DeviceSession {
  readonly id: string;
  readonly refreshUrl: string;
  readonly cookie: string;
  /** Requests to these paths, and below them, are not held. */
  readonly excluded: readonly string[];
  readonly key: TestKey;
  /** What it signs next; null: it has to ask. */
  challenge: string | null;
  /** The last proof. To send it again costs no signature. */
  signed: { readonly challenge: string; readonly proof: string } | null;
}

export interface DeviceKeysOptions {
  /** Sends a `POST` of the browser's own, with the jar's cookies. @throws where no answer comes */
  readonly post: (path: string, headers: Record<string, string>) => Promise<Response>;
  /** Until the cookie ends; 0 where there is none. */
  readonly leftMs: (cookie: string) => number;
  readonly now: () => number;
  /** The draft's form of the headers; Chromium's is bare. */
  readonly quoted?: boolean;
  /** Signatures in nine minutes. */
  readonly quota?: number;
}

/** A cookie that ends so soon is renewed beside the request. */
const SOON_MS = 120_000;
/** The refusal of so many proofs in a row ends the session at the browser. */
const CHALLENGES_MAX = 4;
const QUOTA_WINDOW_MS = 9 * 60_000;

export type DeviceKeys = ReturnType<typeof createDeviceKeys>;

export function createDeviceKeys(options: DeviceKeysOptions) {
  const { post, leftMs, now, quoted = false, quota = Number.POSITIVE_INFINITY } = options;
  const sessions = new Map<string, DeviceSession>();
  const running = new Map<string, Promise<string | null>>();
  const beside = new Set<Promise<unknown>>();
  /** What the browser has done, for tests: its requests by themselves, and why sessions ended. */
  const log: string[] = [];
  let signatures: number[] = [];
  const spelt = (text: string) => (quoted ? `"${text}"` : text);

  /** False where the quota is used up. */
  function maySign(): boolean {
    signatures = signatures.filter((at) => now() - at < QUOTA_WINDOW_MS);
    if (signatures.length >= quota) return false;
    signatures.push(now());
    return true;
  }

  function runBeside(work: Promise<unknown>): void {
    const done = work.catch(() => {}).finally(() => beside.delete(done));
    beside.add(done);
  }

  async function register(offer: string): Promise<void> {
    const [, path = "", challenge = ""] = /^\(ES256\);path="([^"]+)";challenge="([^"]+)"$/.exec(offer) ?? [];
    if (!maySign()) return;
    const key = createTestKey();
    const response = await post(path, {
      "Secure-Session-Response": spelt(registrationProof(key, challenge)),
    });
    log.push(`register ${response.status}`);
    if (response.status !== 200) return;
    const { session_identifier: id, refresh_url: refreshUrl, credentials, scope } = await response.json();
    const cookie = credentials[0].name;
    const excluded = scope.scope_specification.map((rule: { path: string }) => rule.path);
    sessions.set(id, { id, refreshUrl, cookie, excluded, key, challenge: null, signed: null });
  }

  /** One at a time. Null: the cookie is there. Otherwise why the request goes without. */
  function refresh(session: DeviceSession): Promise<string | null> {
    const known = running.get(session.id);
    if (known !== undefined) return known;
    const refreshing = prove(session).finally(() => running.delete(session.id));
    running.set(session.id, refreshing);
    return refreshing;
  }

  async function prove(session: DeviceSession, failures = 0, asked = 0): Promise<string | null> {
    const { id, key, challenge } = session;
    if (challenge !== null && session.signed?.challenge !== challenge) {
      if (!maySign()) return "quota_exceeded";
      session.signed = { challenge, proof: deviceProof(key, challenge) };
    }
    const proof = session.signed && { "Secure-Session-Response": spelt(session.signed.proof) };
    const headers = { "Sec-Secure-Session-Id": spelt(id), ...proof };
    const response = await post(session.refreshUrl, headers).catch(() => null);
    log.push(`refresh ${response?.status ?? "lost"}`);
    if (response === null) return failures < 1 ? prove(session, failures + 1, asked) : "unreachable";
    const [, next, of] =
      /^"([^"]+)";id="([^"]+)"$/.exec(response.headers.get("secure-session-challenge") ?? "") ?? [];
    if (next !== undefined && of === id) session.challenge = next;
    const { status } = response;
    if (status === 200) {
      if ((await response.text()).includes('"continue":false')) end(session, "told to");
      return null;
    }
    if (status >= 500) return "server_error";
    if (status === 403 && next !== undefined && asked + 1 < CHALLENGES_MAX)
      return prove(session, failures, asked + 1);
    return end(session, String(status));
  }

  function end({ id }: DeviceSession, why: string): null {
    sessions.delete(id);
    log.push(`ended by ${why}`);
    return null;
  }

  return {
    sessions,
    log,

    /** Reads an answer: it may offer to register a key. */
    read({ headers }: Response): void {
      const offer = headers.get("secure-session-registration");
      if (offer !== null) runBeside(register(offer));
    },

    /** Holds a request to this path until the bound cookies are there. Gives what it says of those that are not. */
    async hold(path: string): Promise<Record<string, string>> {
      const skipped: string[] = [];
      for (const session of [...sessions.values()]) {
        if (session.excluded.some((excluded) => `${path}/`.startsWith(`${excluded}/`))) continue;
        const left = leftMs(session.cookie);
        const why = left <= 0 ? await refresh(session) : null;
        if (left > 0 && left < SOON_MS) runBeside(refresh(session));
        if (why !== null) skipped.push(`${why};session_identifier="${session.id}"`);
      }
      return skipped.length > 0 ? { "Secure-Session-Skipped": skipped.join(", ") } : {};
    },

    /** All that the browser does by itself so far. */
    async settled(): Promise<void> {
      while (beside.size + running.size > 0) await Promise.allSettled([...beside, ...running.values()]);
    },
  };
}
