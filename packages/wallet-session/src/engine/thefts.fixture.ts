// Owners of bound sessions whose refreshes get lost, and thieves with copies of what they hold and send.
import { randomInt } from "node:crypto";
import { createTestKey, deviceProof, dpopProof, registrationProof, type TestKey } from "../../test/proofs.ts";
import { SessionError } from "../errors.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { ACTOR, startEngine } from "./engine.fixture.ts";
import type { IssuedTokens, RefreshResult, SessionEngine } from "./session-engine.ts";

const URL = "https://pay.example.com/api/auth/refresh";
const CLIENT = { browser: null, os: null, device: null, ip: null };
const HOUR = 3_600_000;

/** What a thief may have of a request: its token, and the proof that came with it. */
interface Sent {
  readonly token: string;
  readonly proof: string;
}

/** One owner of a bound session. */
interface Owner {
  /** As it stands in the owner's hands: an answer that was lost did not change it. */
  token(): string;
  /** One refresh to its end: a stale proof is made again. `loses`: the first answer to a good proof does not arrive. */
  refresh(loses: boolean): Promise<void>;
  /** All that ever went over the line. */
  readonly sent: readonly Sent[];
  /** Sends a request with this token, and this proof, none, or one by another key. */
  steal(token: string, proof: string | null): Promise<RefreshResult>;
  readonly sessionId: IssuedTokens["session"]["id"];
}

export interface Thefts {
  readonly tried: number;
  readonly accepted: number;
  readonly codes: readonly string[];
  readonly sessionsEnded: number;
  /** Thefts without the key of which no owner was told within the hour. */
  readonly untold: number;
}

/** Plays `thefts` thefts, of DPoP sessions or of browsers' jars. */
export async function playThefts(kind: "dpop" | "device", thefts: number): Promise<Thefts> {
  const store = createMemoryStore();
  const { engine, clock } = await startEngine(store);
  const codes = new Set<string>();
  let [tried, accepted, sessionsEnded, untold] = [0, 0, 0, 0];
  while (tried < thefts) {
    const owner = kind === "dpop" ? await dpopOwner(engine, () => clock.now()) : await deviceOwner(engine);
    for (let turn = 0; turn < 10; turn += 1) {
      await owner.refresh(randomInt(3) === 0);
      clock.advance(randomInt(2) === 0 ? 0 : randomInt(2 * HOUR));
      for (let count = 0; count < 5; count += 1) {
        const loot = owner.sent[randomInt(owner.sent.length)];
        const token = randomInt(2) === 0 || loot === undefined ? owner.token() : loot.token;
        const proof = randomInt(2) === 0 ? null : (owner.sent[randomInt(owner.sent.length)]?.proof ?? null);
        const before = JSON.stringify(await store.findSession(owner.sessionId));
        const result = await owner.steal(token, proof).catch((error: unknown) => error);
        tried += 1;
        if (result instanceof SessionError) codes.add(result.code);
        else accepted += 1;
        if (JSON.stringify(await store.findSession(owner.sessionId)) !== before) sessionsEnded += 1;
        const isToldOf = result instanceof SessionError && result.code === "proof_missing";
        const toldAt = (await store.proofFailures([owner.sessionId])).get(owner.sessionId) ?? 0;
        if (isToldOf && clock.now() - toldAt >= HOUR) untold += 1;
      }
    }
    // It is still the owner's.
    await owner.refresh(false).catch(() => {
      sessionsEnded += 1;
    });
    await engine.revokeSessions(ACTOR, null);
  }
  return { tried, accepted, codes: [...codes].sort(), sessionsEnded, untold };
}

async function dpopOwner(engine: SessionEngine, now: () => number): Promise<Owner> {
  const key = createTestKey("EdDSA");
  const proofOver = (nonce: string | null, by: TestKey = key) =>
    dpopProof(by, { htu: URL, nonce, iat: Math.floor(now() / 1000) });
  const request = (proof: string) => ({ proof, method: "POST", urls: [URL] });
  const signedIn = await engine.signIn(
    { actorId: ACTOR, challenge: { id: crypto.randomUUID(), expiresAt: now() + HOUR } },
    { transport: "body", client: CLIENT, dpop: request(proofOver(null)) },
  );
  return owner(signedIn, proofOver, (token, proof) =>
    engine.refresh(token, proof === null ? {} : { dpop: request(proof) }),
  );
}

async function deviceOwner(engine: SessionEngine): Promise<Owner> {
  const key = createTestKey();
  const actor = { actorId: ACTOR, challenge: { id: crypto.randomUUID(), expiresAt: Date.now() + HOUR } };
  const signedIn = await engine.signIn(actor, { transport: "cookie", client: CLIENT });
  const registration = registrationProof(key, engine.registrationChallenge(signedIn.session) ?? "");
  const { deviceId } = await engine.registerDevice(signedIn.refreshToken, registration);
  const proofOver = (challenge: string | null) => deviceProof(key, challenge ?? "");
  const bound = owner(signedIn, proofOver, (token, proof) =>
    proof === null ? engine.refreshJar(token) : engine.refreshDevice(token, { deviceId, proof }),
  );
  // A copy from before the binding is one of an unbound session.
  await bound.refresh(false);
  bound.sent.length = 0;
  return bound;
}

function owner(
  { refreshToken, nextChallenge, session }: IssuedTokens,
  proofOver: (challenge: string | null) => string,
  send: (token: string, proof: string | null) => Promise<RefreshResult | { outcome: "unchanged" }>,
) {
  let [token, challenge] = [refreshToken, nextChallenge];
  const sent: Sent[] = [];
  async function steal(stolen: string, proof: string | null): Promise<RefreshResult> {
    const result = await send(stolen, proof);
    if (result.outcome === "unchanged") throw new Error("a bound jar was left unchanged");
    return result;
  }
  async function refresh(loses: boolean): Promise<void> {
    const proof = proofOver(challenge);
    sent.push({ token, proof });
    try {
      const { tokens } = await steal(token, proof);
      if (loses) return refresh(false);
      [token, challenge] = [tokens.refreshToken, tokens.nextChallenge];
    } catch (error) {
      if (!(error instanceof SessionError) || error.code !== "proof_nonce") throw error;
      challenge = error.challenge;
      return refresh(loses);
    }
  }
  return { token: () => token, refresh, sent, steal, sessionId: session.id };
}
