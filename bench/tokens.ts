import { createHash, generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import type { SessionEngine } from "../packages/wallet-session/src/engine/session-engine.ts";
import { createMemoryStore } from "../packages/wallet-session/src/stores/memory.ts";
import { signIn, startEngine } from "./engine.ts";
import { compare, median, onOneCore, perSecond, timed } from "./measure.ts";

/** Refresh tokens that look like ours, with our key id, but for the MAC: refused per second, and what reached the store. */
export async function garbage(rounds: number): Promise<{ perSecond: number; storeCalls: number }> {
  let storeCalls = 0;
  const onStoreStep = (step: string) => {
    // Others are of the timers.
    if (step === "rotate" || step === "findSession") storeCalls += 1;
    return () => {};
  };
  const engine = await startEngine(createMemoryStore(), { onStoreStep });
  const real = Buffer.from((await signIn(engine)).refreshToken.slice("wsr1_".length), "base64url");
  const tokens = Array.from({ length: 50_000 }, () => {
    const forged = Buffer.concat([real.subarray(0, 4), randomBytes(68)]);
    return `wsr1_${forged.toString("base64url")}`;
  });
  storeCalls = 0;
  const speeds: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const done = await onOneCore(tokens.length, async () => {
      for (const token of tokens) await refused(engine, token);
    });
    if (round > 0) speeds.push(perSecond(done));
  }
  await engine.close();
  return { perSecond: median(speeds), storeCalls };
}

async function refused(engine: SessionEngine, token: string): Promise<void> {
  try {
    await engine.refresh(token);
  } catch {
    return;
  }
  throw new Error("garbage was accepted");
}

const TOKENS = 2_000;

export async function verification(rounds: number) {
  const store = createMemoryStore();
  const engine = await startEngine(store);
  const { session } = await signIn(engine);
  const fresh = () => Promise.all(Array.from({ length: TOKENS }, () => engine.issueAccessToken(session.id)));
  const bare = bareVerify();
  const oneByOne = async () => {
    const tokens = await fresh();
    return timed(TOKENS, async () => {
      for (const token of tokens) await engine.authenticate(token);
    });
  };
  const inFlight = async () => {
    const tokens = await fresh();
    return timed(TOKENS, async () => {
      for (let at = 0; at < TOKENS; at += 32) {
        await Promise.all(tokens.slice(at, at + 32).map((token) => engine.authenticate(token)));
      }
    });
  };
  const unseen = await compare(rounds, oneByOne, bare);
  const unseenInFlight = await compare(rounds, inFlight, bare);

  const seen = await fresh();
  const map = new Map(seen.map((token) => [token, token]));
  for (const token of seen) await engine.authenticate(token);
  // As they come from the network: equal text, not the same string object.
  const spellings = () => seen.map((token) => Buffer.from(token).toString("latin1"));
  const remembered = await compare(
    rounds,
    async () => {
      const texts = spellings();
      return timed(TOKENS, async () => {
        for (const token of texts) await engine.authenticate(token);
      });
    },
    async () => {
      const texts = spellings();
      return timed(TOKENS, () => {
        for (const token of texts) if (!map.has(token)) throw new Error("not found");
      });
    },
  );
  await engine.close();
  return {
    /** Tokens not seen before, one after the other, against `verify` of node:crypto. */
    unseen,
    /** The same with 32 in flight. */
    unseenInFlight,
    /** For a token seen before, revocation check included. */
    seenMicroseconds: 1e6 / remembered.ours,
    /** Of those, what the check itself takes: a look-up of the same token text in a bare map. */
    mapMicroseconds: 1e6 / remembered.bare,
  };
}

/** The signature check alone, on messages as long as ours, on the calling thread. */
function bareVerify() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const signed = Array.from({ length: TOKENS }, (_, at) => {
    const message = Buffer.from(createHash("sha512").update(String(at)).digest("base64url").repeat(5));
    return { message, signature: sign(null, message, privateKey) };
  });
  return () =>
    timed(TOKENS, () => {
      for (const { message, signature } of signed) {
        if (!verify(null, message, publicKey, signature)) throw new Error("not verified");
      }
    });
}
