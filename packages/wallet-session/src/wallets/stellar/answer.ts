import { SessionError } from "../../errors.ts";
import { CHALLENGE_MARK_KEPT_MS, CLOCK_TOLERANCE_MS } from "../../limits.ts";
import type { VerifiedActor } from "../wallet.ts";
import { accountIdOf, actorIdOf } from "./account.ts";
import { type ChallengeFields, type ChallengeServer, readChallenge } from "./challenge.ts";
import { type AccountSigners, satisfies, signingRule, takeSignature } from "./signers.ts";

const SECOND_MS = 1_000;

export interface AnswerContext {
  readonly server: ChallengeServer;
  readonly accountSigners: AccountSigners;
  readonly challengeTtlMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Verifies a challenge that came back signed, cheapest and most telling check first. The server's own signature comes
 * before the clock, so that `challenge_expired` is only ever said of a challenge that was ours.
 *
 * @throws challenge_invalid, challenge_expired, signature_invalid, horizon_unavailable
 */
export async function verifyAnswer(context: AnswerContext, transaction: string): Promise<VerifiedActor> {
  const { server, accountSigners } = context;
  const { fields, hash, signatures } = readChallenge(server, transaction);
  const added = takeSignature(server.signingKey, hash, signatures);
  if (added === null) {
    throw new SessionError("challenge_invalid", "The challenge is not signed by this server.");
  }
  assertInTime(fields, context);

  const clientKey = fields.clientDomain?.key;
  const bySigners = clientKey === undefined ? added : takeSignature(clientKey, hash, added);
  if (bySigners === null) throw signatureInvalid("The client domain has not signed.");
  // Before the network is asked: an unsigned challenge causes no request to it.
  if (bySigners.length === 0) throw signatureInvalid("The account has not signed.");

  const accountId = accountIdOf(fields.account);
  const state = await accountSigners.load(accountId);
  const excluded = clientKey === undefined ? [server.signingKey] : [server.signingKey, clientKey];
  if (!satisfies(signingRule(accountId, state, excluded), hash, bySigners)) {
    throw signatureInvalid(
      "The signatures are not those of enough of the account's signers, and of no one else.",
    );
  }
  return {
    actorId: actorIdOf(fields.account, fields.memo),
    challenge: {
      id: Buffer.from(hash).toString("hex"),
      expiresAt: fields.maxTime * SECOND_MS + CHALLENGE_MARK_KEPT_MS,
    },
  };
}

function assertInTime({ minTime, maxTime }: ChallengeFields, { challengeTtlMs, now }: AnswerContext): void {
  if ((maxTime - minTime) * SECOND_MS > challengeTtlMs) {
    throw new SessionError("challenge_invalid", "The challenge is valid for longer than this server allows.");
  }
  if (minTime * SECOND_MS > now + CLOCK_TOLERANCE_MS) {
    throw new SessionError("challenge_invalid", "The challenge is from the future.");
  }
  if (now > maxTime * SECOND_MS) {
    throw new SessionError("challenge_expired", "The challenge has expired. Ask for a new one.");
  }
}

function signatureInvalid(message: string): SessionError {
  return new SessionError("signature_invalid", message);
}
