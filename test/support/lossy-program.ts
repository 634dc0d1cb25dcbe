// A program that refreshes its session without end, over a network that loses one refresh in twenty, and one answer to a refresh
// in twenty.
// Arguments: the URL of the auth endpoints, the file of its session, and, where its session is bound to one, that of its DPoP key.
// It writes a line for each signature and each refresh.
import { fileKey, fileStorage } from "../../packages/wallet-session/src/node.ts";
import { createWalletKeypair } from "../../packages/wallet-session/src/testing/wallet-keypair.ts";
import {
  createTokenClient,
  SessionClientError,
  stellarSignIn,
} from "../../packages/wallet-session/src/token-client.ts";

const LOST = 1 / 20;

const [url = "", file = "", keyFile] = process.argv.slice(2);
const wallet = createWalletKeypair();

/** Not the sign-in: a signature whose answer is lost has to be given again. */
function loseSome(url: string): void {
  if (url.endsWith("/refresh") && Math.random() < LOST) throw new TypeError("lost on its way");
}

const client = createTokenClient({
  url,
  storage: fileStorage(file),
  ...(keyFile !== undefined && { dpop: { key: fileKey(keyFile) } }),
  restMs: 0,
  // Pauses between tries are short; the limit of a request is not.
  environment: {
    after(ms, task) {
      const timer = setTimeout(task, ms < 10_000 ? 10 : ms);
      return () => clearTimeout(timer);
    },
  },
  signIn: stellarSignIn(wallet.account, (challenge) => {
    console.log("signed");
    return wallet.sign(challenge);
  }),
  async fetch(input, init) {
    loseSome(String(input));
    const response = await fetch(input, init);
    loseSome(String(input));
    return response;
  },
});

while (process.stdout.writable) {
  try {
    const { status } = await client.refresh();
    console.log(status === "signed-in" ? "refreshed" : status);
  } catch (error) {
    if (!(error instanceof SessionClientError)) throw error;
  }
}
