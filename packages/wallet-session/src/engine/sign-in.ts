import { writeBinding } from "../bindings/binding.ts";
import { SessionError } from "../errors.ts";
import { newSessionId } from "../session-id.ts";
import type { SessionRecord } from "../store.ts";
import { hashSecret, SALT_BYTES, SECRET_BYTES, writeRefreshToken } from "../tokens/refresh-token.ts";
import type { VerifiedActor } from "../wallets/wallet.ts";
import type { EngineContext } from "./context.ts";
import { bindingEvent, issueTokens, ownClaims } from "./issue.ts";
import type { IssuedTokens, SignInOptions } from "./session-engine.ts";

/**
 * Consumes the challenge and creates the session of generation 1 in one atomic step.
 * @throws challenge_used, proof_invalid, proof_nonce
 */
export async function signIn(
  context: EngineContext,
  actor: VerifiedActor,
  options: SignInOptions,
): Promise<IssuedTokens> {
  const { clock, random, refreshIdleTtlMs, refreshAbsoluteTtlMs } = context;
  if (actor.action !== undefined && actor.action !== null) {
    throw new SessionError("challenge_invalid", "This challenge is for an action, and signs nobody in.");
  }
  const { dpop = null, refreshOnly = false } = options;
  const thumbprint = dpop && (await context.proofs.ofSignIn(dpop));
  const now = clock.now();
  const id = newSessionId(random);
  const secret = random(SECRET_BYTES);
  const expiresAt = now + refreshAbsoluteTtlMs;
  const session: SessionRecord = {
    id,
    actorId: actor.actorId,
    transport: options.transport,
    generation: 1,
    secretHash: hashSecret(secret),
    salt: random(SALT_BYTES),
    retryKeyHash: null,
    createdAt: now,
    rotatedAt: now,
    idleExpiresAt: Math.min(now + refreshIdleTtlMs, expiresAt),
    expiresAt,
    revokedAt: null,
    revokedReason: null,
    binding: thumbprint === null ? null : writeBinding({ kind: "dpop", thumbprint, refreshOnly }),
    client: options.client,
  };
  const refreshToken = writeRefreshToken(context.keyring.signing, { sessionId: id, generation: 1, secret });
  // Signed before the write: a session that exists without its tokens would be no use to anyone.
  const tokens = await issueTokens(context, session, refreshToken, now, await ownClaims(context, session));
  const { outcome } = await context.store.createSession(session, actor.challenge);
  switch (outcome) {
    case "challenge_used":
      throw new SessionError("challenge_used", "This challenge was answered before. Ask for a new one.");
    case "created":
      context.onEvent({
        type: "signed_in",
        actorId: session.actorId,
        sessionId: id,
        transport: session.transport,
      });
      if (thumbprint !== null) context.onEvent(bindingEvent(session));
      return tokens;
  }
}
