import { beforeEach, describe, expect, test } from "vitest";
import { createManualClock, createWalletKeypair } from "wallet-session/testing";
import { createStellarWallet, masterKeyOnly, type StellarWallet } from "wallet-session/wallets/stellar";
import { type DemoWallet, forgetDemoWallet, openDemoWallet } from "./demo-wallet.ts";
import { WalletError } from "./wallet-error.ts";

let storage: Storage;
let wallet: DemoWallet;
let server: StellarWallet;

beforeEach(async () => {
  storage = memoryStorage();
  wallet = await openDemoWallet(storage);
  server = createStellarWallet({
    signingSeed: createWalletKeypair().seed,
    networkPassphrase: "Test SDF Network ; September 2015",
    homeDomain: "pay.example.com",
    webAuthEndpoint: "https://pay.example.com/api/auth/wallet",
    accountSigners: masterKeyOnly,
    clock: createManualClock(),
  });
});

function memoryStorage(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    clear: () => values.clear(),
    getItem: (key) => values.get(key) ?? null,
    key: (index) => [...values.keys()][index] ?? null,
    removeItem: (key) => void values.delete(key),
    setItem: (key, value) => void values.set(key, value),
  };
}

async function challenge(account = wallet.account) {
  const { transaction, network_passphrase: networkPassphrase } = await server.challenge({ account });
  return { transaction, networkPassphrase };
}

test("the server takes what it signs", async () => {
  const transaction = await wallet.sign(await challenge());
  expect((await server.verify({ transaction })).actorId).toBe(wallet.account);
});

test("the same page opens the same wallet, until it is told to forget it", async () => {
  expect((await openDemoWallet(storage)).account).toBe(wallet.account);
  forgetDemoWallet(storage);
  expect((await openDemoWallet(storage)).account).not.toBe(wallet.account);
});

test.each(["", "{}", "null", "not JSON", '{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}'])(
  "%j in the storage is replaced by a new wallet",
  async (stored) => {
    const key = storage.key(0) ?? "";
    storage.setItem(key, stored);
    const opened = await openDemoWallet(storage);
    expect(opened.account).toMatch(/^G[A-Z2-7]{55}$/);
    expect((await openDemoWallet(storage)).account).toBe(opened.account);
  },
);

test("it adds its signature to the server's", async () => {
  const { transaction, networkPassphrase } = await challenge();
  const signed = await wallet.sign({ transaction, networkPassphrase });
  expect(atob(signed).length).toBe(atob(transaction).length + 72);
  expect(atob(signed)).toContain(atob(transaction).slice(-72));
});

describe("does not sign blindly", () => {
  const refused = (bytes: Uint8Array) =>
    expect(
      wallet.sign({ transaction: btoa(String.fromCharCode(...bytes)), networkPassphrase: "x" }),
    ).rejects.toBeInstanceOf(WalletError);

  test.each([
    ["another kind of envelope", 3, 5],
    ["a muxed source account", 4, 1],
    ["a sequence number that a network would execute", 51, 1],
  ])("%s", async (_, at, value) => {
    const bytes = Uint8Array.from(atob((await challenge()).transaction), (char) => char.charCodeAt(0));
    bytes[at] = value;
    await refused(bytes);
  });

  test("what somebody else has signed too", async () => {
    const { transaction, networkPassphrase } = await challenge();
    const twice = createWalletKeypair().sign({ transaction, network_passphrase: networkPassphrase });
    await refused(Uint8Array.from(atob(twice), (char) => char.charCodeAt(0)));
  });

  test("what the server has not signed, or not whole", async () => {
    const bytes = Uint8Array.from(atob((await challenge()).transaction), (char) => char.charCodeAt(0));
    await refused(bytes.subarray(0, -76));
    await refused(bytes.subarray(0, -1));
    await refused(bytes.subarray(0, 40));
  });
});
