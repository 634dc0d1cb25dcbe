import { SessionError } from "../../errors.ts";
import { HORIZON_TIMEOUT_MS } from "../../limits.ts";
import type { AccountSigners, AccountState } from "./answer.ts";
import { readAtMost } from "./read-at-most.ts";

/** An account can have 1,000 balances and data entries of about half a kilobyte each. */
const ACCOUNT_MAX_BYTES = 1_024 * 1_024;
/** The protocol allows 20 signers besides the master key. */
const SIGNERS_MAX = 21;
const WEIGHT_MAX = 255;
const RETRY_AFTER_SECONDS = 5;
const NOT_FOUND_TYPE = "https://stellar.org/horizon-errors/not_found";

export interface HorizonOptions {
  readonly horizonUrl: string;
  readonly fetch?: typeof globalThis.fetch;
  /** For the whole answer. @default 5 seconds */
  readonly timeoutMs?: number;
}

/**
 * Signers and thresholds from a Horizon server, asked anew each time. Only Horizon's own "not found" means that there is no
 * such account; whatever else is not a well-formed answer is `horizon_unavailable`. Does NOT retry.
 *
 * @throws TypeError for a URL that is not http(s), or has credentials, a query or a fragment
 * @see https://developers.stellar.org/docs/data/apis/horizon/api-reference/get-account-by-id
 */
export function horizonSigners({
  horizonUrl,
  fetch = globalThis.fetch,
  timeoutMs = HORIZON_TIMEOUT_MS,
}: HorizonOptions): AccountSigners {
  const base = baseUrl(horizonUrl);
  return {
    async load(accountId) {
      try {
        const response = await fetch(new URL(`accounts/${accountId}`, base), {
          headers: { accept: "application/json" },
          redirect: "error",
          // Some frameworks put a cache under fetch.
          cache: "no-store",
          signal: AbortSignal.timeout(timeoutMs),
        });
        return await readAnswer(response, accountId);
      } catch (cause) {
        throw new SessionError("horizon_unavailable", "The account's signers could not be looked up.", {
          cause,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      }
    },
  };
}

function baseUrl(horizonUrl: string): URL {
  const url = new URL(horizonUrl);
  if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new TypeError("horizonUrl is not an http(s) URL without credentials");
  }
  if (url.search !== "" || url.hash !== "") throw new TypeError("horizonUrl has a query or a fragment");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** Throws a plain Error on anything that is not exactly an account or Horizon's "not found". */
async function readAnswer(response: Response, accountId: string): Promise<AccountState> {
  if (response.status !== 200 && response.status !== 404) {
    await response.body?.cancel();
    throw new Error(`Horizon answered with status ${response.status}`);
  }
  const text = response.body === null ? "" : await readAtMost(response.body, ACCOUNT_MAX_BYTES);
  const body = record(JSON.parse(text));
  if (response.status === 200) return readAccount(body, accountId);
  // A proxy in front, or a wrong path, answers 404 as well: it takes Horizon's own problem document.
  if (body.type === NOT_FOUND_TYPE) return { exists: false };
  throw new Error("a 404 that is not Horizon's");
}

function readAccount(body: Record<string, unknown>, accountId: string): AccountState {
  if (body.account_id !== accountId) throw new Error("Horizon answered with another account");
  if (!Array.isArray(body.signers) || body.signers.length > SIGNERS_MAX) {
    throw new Error("Horizon answered with malformed signers");
  }
  return {
    exists: true,
    signers: body.signers.map((signer: unknown) => {
      const { key, weight } = record(signer);
      if (typeof key !== "string") throw new Error("Horizon answered with a malformed signer");
      return { key, weight: byteOf(weight) };
    }),
    mediumThreshold: byteOf(record(body.thresholds).med_threshold),
  };
}

function byteOf(value: unknown): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > WEIGHT_MAX) {
    throw new Error("Horizon answered with a malformed weight or threshold");
  }
  return value;
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("Horizon answered with a malformed document");
  }
  return { ...value };
}
