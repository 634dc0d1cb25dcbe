import { XdrError } from "@stellar/js-xdr";
import { isDomainName, isMemoId } from "../../src/wallets/stellar/account.ts";
import { signingKeyIn } from "../../src/wallets/stellar/client-domain.ts";
import { decodeStrkey, encodeStrkey } from "../../src/wallets/stellar/strkey.ts";
import { decodeEnvelope, encodeEnvelope } from "../../src/wallets/stellar/transaction.ts";
import * as forge from "./forge.ts";
import type { Target } from "./fuzz.ts";
import { must, refusal, textOf } from "./oracle.ts";

const WORDS = [
  "\0\0\0\x01",
  "\0\0\0\0",
  "\xff\xff\xff\xff",
  "\0\0\0\x0a",
  "\0\0\x01\0",
  " auth",
  "web_auth_domain",
];
const envelopes = forge.signedChallenges.map((text) => Buffer.from(text, "base64"));

/** The bytes of a transaction. */
const xdr: Target = {
  name: "xdr",
  seeds: envelopes,
  words: WORDS,
  maxBytes: 3_000,
  run(input) {
    let read: ReturnType<typeof decodeEnvelope>;
    try {
      read = decodeEnvelope(input);
    } catch (error) {
      if (error instanceof XdrError) return error.message.replace(/\d+/g, "N");
      throw error;
    }
    const again = Buffer.from(encodeEnvelope(read.transaction, read.signatures), "base64");
    must(again.equals(input), "read canonical XDR alone");
    return `a transaction of ${read.transaction.operations.length}, ${read.signatures.length}`;
  },
};

/** The signed challenge, as the sign-in gets it. */
const walletAnswer: Target = {
  name: "wallet-answer",
  seeds: forge.signedChallenges,
  words: [...WORDS, "=", "\n", "-", "_", "+", "/"],
  maxBytes: 4_500,
  async run(input) {
    const text = textOf(input);
    try {
      const { actorId, challenge } = await forge.wallet.verify({ transaction: text });
      must(actorId.startsWith(forge.alice.account), "be the account that has signed");
      // Spaces, padding and alphabet are free; what is in it is not.
      const bytes = Buffer.from(text.replace(/\s/g, ""), "base64");
      must(
        envelopes.some((one) => one.equals(bytes)),
        "take a challenge as it was signed",
      );
      return `signed in: ${challenge.id.length}`;
    } catch (error) {
      return refusal(error, "challenge_invalid", "challenge_expired", "signature_invalid");
    }
  },
};

const { account } = forge.alice;
const stellarToml: Target = {
  name: "stellar-toml",
  seeds: [forge.wallet.wellKnown["stellar.toml"], `SIGNING_KEY = '${account}' # ours\r\n`],
  words: ["SIGNING_KEY", "=", '"', "'", "\n", "\r", "\t", "#", "[", "]", '"""', "\xe2\x80\xa8", account],
  maxBytes: 4_000,
  run(input) {
    const text = input.toString("utf8");
    let key: string;
    try {
      key = signingKeyIn(text);
    } catch (error) {
      if (String(error) === "Error: stellar.toml has not one SIGNING_KEY") return "none";
      throw error;
    }
    must(/^G[A-Z2-7]{55}$/.test(key) && text.includes(key), "find a key that is there");
    must(signingKeyIn(`${text}\n[x]\nSIGNING_KEY="${account}"\n`) === key, "read the top level alone");
    return "a key";
  },
};

/** What a challenge may be asked with. */
const challengeRequest: Target = {
  name: "challenge-request",
  seeds: [
    account,
    "0",
    "18446744073709551615",
    "wallet.example.org",
    "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ",
  ],
  words: ["G", "M", "A", "a", "0", "1", ".", "-", "xn--", "example.org", "18446744073709551616"],
  maxBytes: 200,
  run(input) {
    const text = textOf(input);
    const kinds: string[] = [];
    for (const kind of ["G", "M"] as const) {
      const payload = decodeStrkey(kind, text);
      if (payload === null) continue;
      must(encodeStrkey(kind, payload) === text, "read addresses in their one spelling");
      kinds.push(kind);
    }
    if (isMemoId(text)) {
      must(String(BigInt(text)) === text && BigInt(text) < 2n ** 64n, "read ids in their one spelling");
      kinds.push("memo");
    }
    if (isDomainName(text)) {
      must(new URL(`https://${text}/`).hostname === text.toLowerCase(), "take names as URLs have them");
      kinds.push("domain");
    }
    return kinds.join(" ");
  },
};

export const WALLET_TARGETS = [xdr, walletAnswer, stellarToml, challengeRequest];
