import { randomUUID, verify } from "node:crypto";
import type { IssuedTokens, SessionEngine } from "../packages/wallet-session/src/engine/session-engine.ts";
import { createMemoryStore } from "../packages/wallet-session/src/stores/memory.ts";
import {
  createTestKey,
  deviceProof,
  dpopProof,
  registrationProof,
  type TestKey,
} from "../packages/wallet-session/test/proofs.ts";
import { ACTOR, CLIENT, newChallenge, refreshed, signIn, startEngine } from "./engine.ts";
import { type Comparison, compare, type Round } from "./measure.ts";

const REFRESHES = 1_000;
const URL = "https://pay.example.com/api/auth/refresh";

/** Refreshes one after the other, each with a proof, against as many without one and the bare check of as many signatures. */
export async function boundRefreshes(rounds: number): Promise<{ dpop: Comparison; device: Comparison }> {
  const engine = await startEngine(createMemoryStore());
  const key = createTestKey();
  const bare = await plain(engine, key);
  const dpop = await compare(rounds, await byDpop(engine, key), bare);
  const device = await compare(rounds, await byDevice(engine, key), bare);
  await engine.close();
  return { dpop, device };
}

type Contender = () => Promise<Round>;

/** Times the work alone, and not what its client does between two calls. */
async function timedApart(
  each: (time: <Output>(work: () => Output | Promise<Output>) => Promise<Output>) => Promise<void>,
) {
  let nanoseconds = 0n;
  for (let count = 0; count < REFRESHES; count += 1) {
    await each(async (work) => {
      const begun = process.hrtime.bigint();
      const output = await work();
      nanoseconds += process.hrtime.bigint() - begun;
      return output;
    });
  }
  return { operations: REFRESHES, seconds: Number(nanoseconds) / 1e9 };
}

async function plain(engine: SessionEngine, key: TestKey): Promise<Contender> {
  let token = (await signIn(engine)).refreshToken;
  const [header = "", claims = "", signature = ""] = dpopProof(key, { htu: URL }).split(".");
  const text = Buffer.from(`${header}.${claims}`);
  const bytes = Buffer.from(signature, "base64url");
  const { publicKey } = key;
  return () =>
    timedApart(async (time) => {
      token = await time(() => refreshed(engine, token));
      await time(() => verify("sha256", text, { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes));
    });
}

async function byDpop(engine: SessionEngine, key: TestKey): Promise<Contender> {
  const request = (nonce?: string | null) => ({
    proof: dpopProof(key, { htu: URL, nonce }),
    method: "POST",
    urls: [URL],
  });
  const options = { transport: "body", client: CLIENT, dpop: request() } as const;
  let tokens = await engine.signIn({ actorId: ACTOR, challenge: newChallenge() }, options);
  return () =>
    timedApart(async (time) => {
      const dpop = request(tokens.nextChallenge);
      tokens = (await time(() => engine.refresh(tokens.refreshToken, { dpop }))).tokens;
    });
}

async function byDevice(engine: SessionEngine, key: TestKey): Promise<Contender> {
  const actor = { actorId: ACTOR, challenge: { id: randomUUID(), expiresAt: Date.now() + 300_000 } };
  let tokens: IssuedTokens = await engine.signIn(actor, { transport: "cookie", client: CLIENT });
  const registration = registrationProof(key, engine.registrationChallenge(tokens.session) ?? "");
  const { deviceId } = await engine.registerDevice(tokens.refreshToken, registration);
  const asked = await engine
    .refreshDevice(tokens.refreshToken, { deviceId, proof: null })
    .catch((error) => error);
  let challenge: string = asked.challenge;
  return () =>
    timedApart(async (time) => {
      const proof = deviceProof(key, challenge);
      tokens = (await time(() => engine.refreshDevice(tokens.refreshToken, { deviceId, proof }))).tokens;
      challenge = tokens.nextChallenge ?? "";
    });
}
