import type { KeyObject } from "node:crypto";
import { writeBinding } from "../bindings/binding.ts";
import {
  type ChallengedAt,
  type ChallengeSubject,
  readChallenge,
  writeChallenge,
} from "../bindings/challenge.ts";
import { readDeviceId, writeDeviceId } from "../bindings/device-id.ts";
import { type DpopProof, type DpopRequest, readDpopProof } from "../bindings/dpop-proof.ts";
import { readProofJwt } from "../bindings/proof-jwt.ts";
import { compressed, createJwkReader, decompressed } from "../bindings/public-key.ts";
import type { Clock, RandomBytes } from "../clock.ts";
import { SessionError } from "../errors.ts";
import {
  PROOF_TIME_TOLERANCE_MS,
  REQUEST_NONCE_MAX_AGE_MS,
  REQUEST_PROOF_MARK_KEPT_MS,
  ROTATION_CHALLENGE_MAX_AGE_MS,
} from "../limits.ts";
import type { SessionId, SessionStore } from "../store.ts";
import { sha256 } from "../tokens/hmac.ts";
import { Recent } from "../tokens/recent.ts";
import type { Keyring } from "../tokens/secrets.ts";

/** A verified proof that comes with a refresh. Says nothing yet about whether its key is the session's. */
export interface RotationProof {
  readonly kind: "dpop" | "device";
  /** What the row says where this is its key. */
  readonly binding: string;
  /** What its challenge names; null: it has none that is good. It is fresh where the session and the token are still so. */
  readonly over: ChallengedAt | null;
  /** The same for the same proof alone. */
  readonly id: string;
}

/** Device keys that a process keeps ready, as those that come with proofs are. */
const DEVICE_KEYS_KEPT = 10_000;

/** Of a challenge that is tied to no session. */
const NOWHERE: ChallengedAt = { generation: 0, presented: 0 };

export type Proofs = ReturnType<typeof createProofs>;

/** Reads proofs, and writes what they are signed over. */
export function createProofs(options: {
  readonly store: Pick<SessionStore, "consumeChallenge">;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly random: RandomBytes;
}) {
  const { store, keyring, clock, random } = options;
  const readJwk = createJwkReader();
  const deviceKeys = new Recent<KeyObject>(DEVICE_KEYS_KEPT);

  function challenge(subject: ChallengeSubject, at: ChallengedAt): string {
    return writeChallenge(keyring.signing, subject, at, clock.now(), random);
  }

  function challengedAt(text: unknown, subject: ChallengeSubject, maxAgeMs: number): ChallengedAt | null {
    return readChallenge(keyring, text, subject, clock.now(), maxAgeMs);
  }

  const rotationOf = (sessionId: SessionId) => ({ use: "rotation", sessionId }) as const;
  const registrationOf = (sessionId: SessionId) => ({ use: "registration", sessionId }) as const;
  const request = { use: "request", sessionId: null } as const;

  /**
   * A request's own proof: its time is about now, or it has a nonce of ours, and no process has seen it (RFC 9449, section 11.1).
   * Marks it as used.
   * @throws proof_invalid, proof_nonce, store_unavailable
   */
  async function spend({ id, issuedAt, nonce }: DpopProof): Promise<void> {
    const now = clock.now();
    const isNow = Math.abs(issuedAt * 1000 - now) <= PROOF_TIME_TOLERANCE_MS;
    if (!isNow && challengedAt(nonce, request, REQUEST_NONCE_MAX_AGE_MS) === null) {
      throw new SessionError("proof_nonce", "The DPoP proof needs the nonce that comes with this answer.", {
        challenge: challenge(request, NOWHERE),
      });
    }
    const goodFor = isNow ? 2 * PROOF_TIME_TOLERANCE_MS : REQUEST_NONCE_MAX_AGE_MS;
    const mark = { id: `request:${id}`, expiresAt: now + goodFor + REQUEST_PROOF_MARK_KEPT_MS };
    if (!(await store.consumeChallenge(mark)))
      throw new SessionError("proof_invalid", "This DPoP proof was used before.");
  }

  function verified(dpop: DpopRequest, accessToken: string | null): DpopProof {
    const proof = readDpopProof(readJwk, dpop, accessToken);
    if (proof === null)
      throw new SessionError("proof_invalid", "The DPoP proof is not valid for this request.");
    return proof;
  }

  return {
    /** For the next rotation of a session that stands at `generation`, with the token of `presented`. */
    rotationChallenge: (id: SessionId, generation: number, presented = generation) =>
      challenge(rotationOf(id), { generation, presented }),

    /** For a browser that may register a key for the session. */
    registrationChallenge: (id: SessionId, generation: number) =>
      challenge(registrationOf(id), { generation, presented: generation }),

    /** The thumbprint of the key that a sign-in binds its session to. @throws proof_invalid, proof_nonce, store_unavailable */
    async ofSignIn(dpop: DpopRequest): Promise<string> {
      const proof = verified(dpop, null);
      await spend(proof);
      return proof.thumbprint;
    },

    /** Of a guarded request, by the key that its access token names. @throws proof_invalid, proof_nonce, store_unavailable */
    async ofRequest(dpop: DpopRequest, accessToken: string, thumbprint: string): Promise<void> {
      const proof = verified(dpop, accessToken);
      if (proof.thumbprint !== thumbprint) {
        throw new SessionError("proof_invalid", "The DPoP proof is by another key than the access token's.");
      }
      await spend(proof);
    },

    /** @throws proof_invalid */
    ofRefresh(dpop: DpopRequest, id: SessionId): RotationProof {
      const proof = verified(dpop, null);
      return {
        kind: "dpop",
        binding: writeBinding({ kind: "dpop", thumbprint: proof.thumbprint, refreshOnly: false }),
        over: challengedAt(proof.nonce, rotationOf(id), ROTATION_CHALLENGE_MAX_AGE_MS),
        id: proof.id,
      };
    },

    /**
     * The name under which a browser's new key is registered for the session, which stands at `generation`. Writes nothing.
     * @throws proof_invalid
     */
    deviceIdOf(text: string, sessionId: SessionId, generation: number): string {
      const jwt = readProofJwt(text, "dbsc+jwt");
      const key = jwt?.algorithm === "ES256" ? readJwk(jwt.jwk, jwt.algorithm) : null;
      const named = challengedAt(jwt?.claims.jti, registrationOf(sessionId), ROTATION_CHALLENGE_MAX_AGE_MS);
      if (!jwt || !key || named?.generation !== generation || !jwt.isSignedBy(key.key))
        throw badDeviceProof();
      return writeDeviceId(keyring.signing, { sessionId, generation, key: compressed(key) });
    },

    /** For which session a key was registered; null for a name that we have not given. */
    sessionOfDevice: (deviceId: string): SessionId | null =>
      readDeviceId(keyring, deviceId)?.sessionId ?? null,

    /**
     * The proof of a registered key for the next rotation. Without a proof there is only the name of the key: it is not
     * fresh, and so is answered with a challenge.
     * @throws proof_invalid
     */
    ofDevice(deviceId: string, text: string | null, sessionId: SessionId): RotationProof {
      const registered = readDeviceId(keyring, deviceId);
      if (registered === null || registered.sessionId !== sessionId) throw badDeviceProof();
      const key = Buffer.from(registered.key).toString("base64url");
      const proof = {
        kind: "device",
        binding: writeBinding({ kind: "device", key, unboundUpTo: registered.generation }),
      } as const;
      if (text === null) return { ...proof, over: null, id: "" };
      const jwt = readProofJwt(text, "dbsc+jwt");
      const publicKey = deviceKeys.get(key) ?? decompressed(registered.key);
      if (!jwt || !publicKey || jwt.jwk !== undefined || jwt.algorithm !== "ES256") throw badDeviceProof();
      if (!jwt.isSignedBy(publicKey)) throw badDeviceProof();
      deviceKeys.set(key, publicKey);
      const { jti } = jwt.claims;
      return {
        ...proof,
        over: challengedAt(jti, rotationOf(sessionId), ROTATION_CHALLENGE_MAX_AGE_MS),
        id: sha256(Buffer.from(`${key} ${jti}`)).toString("base64url"),
      };
    },
  };
}

function badDeviceProof(): SessionError {
  return new SessionError("proof_invalid", "The proof of the device key is not valid.");
}
