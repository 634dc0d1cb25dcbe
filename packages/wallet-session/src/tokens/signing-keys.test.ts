import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { codeOf, OTHER_SECRET, SECRET, startEngine } from "../engine/engine.fixture.ts";
import type { SealedSigningKey } from "../store.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { createManualClock } from "../testing/manual-clock.ts";
import { createKeyring } from "./secrets.ts";
import { createSigningKeys } from "./signing-keys.ts";

const MINUTE = 60_000;

function kidOf(token: string): string {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
}

test("many processes that start at once share one key", async () => {
  const store = createMemoryStore();
  const clock = createManualClock();
  const nodes = await Promise.all(Array.from({ length: 8 }, () => startEngine(store, { clock })));
  expect(await store.signingKeys()).toHaveLength(1);
  const kids = await Promise.all(
    nodes.map(async ({ engine }) => (await engine.getJwks()).keys.map((key) => "kid" in key && key.kid)),
  );
  expect(new Set(kids.flat()).size).toBe(1);
});

test("a new key is published before it signs, and the old one until its last token has expired", async () => {
  const store = createMemoryStore();
  const { engine, signIn, clock } = await startEngine(store);
  const before = (await signIn()).accessToken;
  const kid = await engine.rotateSigningKey();
  expect((await engine.getJwks()).keys).toHaveLength(2);
  expect(kidOf((await signIn()).accessToken)).toBe(kidOf(before));
  clock.advance(10 * MINUTE);
  expect(kidOf((await signIn()).accessToken)).toBe(kid);
  expect((await engine.authenticate(before)).actorId).toBeDefined();
  clock.advance(15 * MINUTE);
  expect((await engine.getJwks()).keys).toHaveLength(2);
  clock.advance(6_000);
  expect((await engine.getJwks()).keys.map((key) => "kid" in key && key.kid)).toEqual([kid]);
});

test("a node meets a key that another one has added, by its id", async () => {
  const store = createMemoryStore();
  const here = await startEngine(store);
  const there = await startEngine(store, { clock: here.clock });
  await here.engine.rotateSigningKey();
  here.clock.advance(10 * MINUTE);
  const { accessToken } = await here.signIn();
  expect((await there.engine.authenticate(accessToken)).actorId).toBeDefined();
});

test("unknown key ids do not make a node read the store again and again", async () => {
  const store = createMemoryStore();
  let reads = 0;
  const counted = {
    addSigningKey: store.addSigningKey.bind(store),
    signingKeys: () => {
      reads += 1;
      return store.signingKeys();
    },
  };
  const clock = createManualClock();
  const keys = createSigningKeys({
    store: counted,
    keyring: createKeyring([SECRET]),
    clock,
    random: randomBytes,
    accessTtlMs: 15 * MINUTE,
    onEvent: () => {},
  });
  await keys.load();
  const afterLoad = reads;
  for (let n = 0; n < 100; n += 1) expect(await keys.verifier(`unknown-${n}`)).toBeNull();
  expect(reads).toBe(afterLoad);
  clock.advance(5_000);
  await Promise.all(Array.from({ length: 100 }, (_, n) => keys.verifier(`unknown-${n}`)));
  expect(reads).toBe(afterLoad + 1);
});

test("keys rest sealed: the store holds no private half, and a changed seal opens nothing", async () => {
  const store = createMemoryStore();
  const { signIn, clock } = await startEngine(store);
  const { accessToken } = await signIn();
  const [stored] = (await store.signingKeys()) as [SealedSigningKey];
  expect(stored.sealed).toHaveLength(64);
  for (const tampered of [
    { ...stored, sealed: stored.sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) },
    { ...stored, sealed: stored.sealed.subarray(1) },
    { ...stored, kid: "another" },
  ]) {
    const other = createMemoryStore();
    await other.addSigningKey(tampered, null);
    const node = await startEngine(other, { clock });
    expect(node.events).toContainEqual({ type: "signing_key_unreadable", kid: tampered.kid });
    expect(await codeOf(node.engine.authenticate(accessToken))).toBe("access_token_invalid");
  }
});

test("keys sealed under an older secret still sign and verify", async () => {
  const store = createMemoryStore();
  const old = await startEngine(store);
  const { accessToken } = await old.signIn();
  const { engine, signIn } = await startEngine(store, { secrets: [OTHER_SECRET, SECRET], clock: old.clock });
  expect((await engine.authenticate(accessToken)).actorId).toBeDefined();
  expect(kidOf((await signIn()).accessToken)).toBe(kidOf(accessToken));
});

test("a key under a new secret takes over in time, so that the older secret can go and no token with it", async () => {
  const store = createMemoryStore();
  const { clock } = await startEngine(store);
  const secrets = [OTHER_SECRET, SECRET];
  const nodes = await Promise.all([1, 2, 3].map(() => startEngine(store, { secrets, clock })));
  expect(await store.signingKeys()).toHaveLength(2);
  // A node that has not changed over yet neither minds the new key nor adds to it.
  await startEngine(store, { secrets: [SECRET, OTHER_SECRET], clock });
  expect(await store.signingKeys()).toHaveLength(2);
  clock.advance(10 * MINUTE);
  const { accessToken } = (await nodes[0]?.signIn()) ?? { accessToken: "" };
  const after = await startEngine(store, { secrets: [OTHER_SECRET], clock });
  expect((await after.engine.authenticate(accessToken)).actorId).toBeDefined();
  expect(kidOf((await after.signIn()).accessToken)).toBe(kidOf(accessToken));
});
