import { createHash } from "node:crypto";
import { retryKeyFromHeader } from "wallet-session/kit";
import { refusal } from "../refusals.ts";
import { Overtaken } from "../sql/database.ts";
import type { Reader, Tx } from "../sql/schema.ts";
import type { Answer } from "./answer.ts";

/** Answers are kept this long; a key that comes back later counts as new. */
export const ANSWER_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;
/** What one keeping throws away of the old ones. */
const FORGOTTEN_AT_ONCE = 100;

/** A request that wants to happen once, however often it arrives. */
export interface IdempotentRequest {
  readonly actorId: string;
  readonly keyHash: string;
  /** Of what is asked for: where, and with which input. */
  readonly fingerprint: string;
}

/**
 * What the `Idempotency-Key` of a request stands for; null without one. `input`: what was read of the body, after all
 * checks, so that spelling does not count.
 * @throws invalid_request for a malformed key
 */
export function idempotentRequest(
  request: Request,
  actorId: string,
  input: Readonly<Record<string, unknown>> = {},
): IdempotentRequest | null {
  const key = retryKeyFromHeader(request);
  if (key === null) return null;
  const { pathname } = new URL(request.url);
  const asked = JSON.stringify([request.method, pathname, input], (_, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return { actorId, keyHash: sha256(key), fingerprint: sha256(asked) };
}

/**
 * The answer that the same request was given before; null when it is new. To be asked once the transaction has locked what
 * the request is about, and before it judges the request: so that of two at the same moment the second is answered like
 * the first, and not refused for what the first has changed.
 * @throws idempotency_mismatch when the actor used the key for something else
 */
export async function keptAnswer(tx: Reader, request: IdempotentRequest | null): Promise<Answer | null> {
  if (request === null) return null;
  const row = await tx
    .selectFrom("idempotent_answers")
    .select(["fingerprint", "status", "headers", "body"])
    .where("actor_id", "=", request.actorId)
    .where("key_hash", "=", request.keyHash)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.fingerprint !== request.fingerprint) {
    throw refusal("idempotency_mismatch", "This Idempotency-Key was used for another request.");
  }
  return { status: Number(row.status), headers: JSON.parse(row.headers), body: row.body };
}

/**
 * Keeps the answer, in the transaction of what it answers. Refusals are not kept: they changed nothing.
 * @throws Overtaken where the same key was answered meanwhile
 */
export async function keepAnswer(
  tx: Tx,
  request: IdempotentRequest | null,
  answer: Answer,
  now: number,
): Promise<void> {
  if (request === null) return;
  await forget(tx, now - ANSWER_KEPT_MS);
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("idempotent_answers")
    .values({
      actor_id: request.actorId,
      key_hash: request.keyHash,
      fingerprint: request.fingerprint,
      status: answer.status,
      headers: JSON.stringify(answer.headers),
      body: answer.body,
      created_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) throw new Overtaken();
}

async function forget(tx: Tx, before: number): Promise<void> {
  const old = await tx
    .selectFrom("idempotent_answers")
    .select(["actor_id", "key_hash"])
    .where("created_at", "<", BigInt(before))
    .orderBy("created_at")
    .limit(FORGOTTEN_AT_ONCE)
    // Those that somebody else is just forgetting are as good as gone.
    .forUpdate()
    .skipLocked()
    .execute();
  if (old.length === 0) return;
  await tx
    .deleteFrom("idempotent_answers")
    .where(({ and, eb, or }) =>
      or(
        old.map(({ actor_id, key_hash }) =>
          and([eb("actor_id", "=", actor_id), eb("key_hash", "=", key_hash)]),
        ),
      ),
    )
    .execute();
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
