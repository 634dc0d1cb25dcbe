import {
  Account,
  type Keypair,
  Memo,
  type MuxedAccount,
  Operation,
  TransactionBuilder,
} from "@stellar/stellar-sdk/base";
import {
  ALICE,
  CLIENT_APP,
  CLIENT_DOMAIN,
  HOME_DOMAIN,
  NETWORK,
  SERVER,
  WEB_AUTH_DOMAIN,
} from "./wallet.fixture.ts";

export type DataOperation = ReturnType<typeof dataOperation>;

export function dataOperation(name: string, value: string | Uint8Array | null, source?: string) {
  return Operation.manageData({ name, value, ...(source === undefined ? {} : { source }) });
}

/** The operations of a challenge to Alice. */
export const AUTH = dataOperation(
  `${HOME_DOMAIN} auth`,
  Buffer.alloc(48, 1).toString("base64"),
  ALICE.publicKey(),
);
export const WEB_AUTH = dataOperation("web_auth_domain", WEB_AUTH_DOMAIN, SERVER.publicKey());
export const CLIENT = dataOperation("client_domain", CLIENT_DOMAIN, CLIENT_APP.publicKey());

export interface Crafted {
  source?: Account | MuxedAccount;
  operations?: DataOperation[];
  memo?: Memo;
  /** Seconds from now. */
  times?: [number, number];
  fee?: string;
  network?: string;
  signers?: Keypair[];
  extend?: (builder: TransactionBuilder) => void;
}

/** A challenge like the server's, but for what is given; signed by the server and Alice even so. */
export function craft(nowMs: number, crafted: Crafted = {}): string {
  const { times = [0, 300], signers = [SERVER, ALICE] } = crafted;
  const now = Math.floor(nowMs / 1_000);
  const builder = new TransactionBuilder(crafted.source ?? new Account(SERVER.publicKey(), "-1"), {
    fee: crafted.fee ?? "100",
    networkPassphrase: crafted.network ?? NETWORK,
    memo: crafted.memo ?? Memo.none(),
    timebounds: { minTime: now + times[0], maxTime: now + times[1] },
  });
  for (const operation of crafted.operations ?? [AUTH, WEB_AUTH]) builder.addOperation(operation);
  crafted.extend?.(builder);
  const transaction = builder.build();
  transaction.sign(...signers);
  return transaction.toXdr();
}
