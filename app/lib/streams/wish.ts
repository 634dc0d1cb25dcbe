import { type BodyMembers, textMember } from "wallet-session/kit";
import { isAddress } from "wallet-session/wallets/stellar-address";
import { malformed } from "../refusals.ts";
import type { StreamWish } from "./create.ts";
import { DURATION_MAX_SECONDS, DURATION_MIN_SECONDS, TITLE_MAX_CHARS } from "./limits.ts";
import { parseAmount } from "./money.ts";

/** What the body of a new stream asks for. @throws invalid_request */
export function readWish(body: BodyMembers, actorId: string): StreamWish {
  return {
    recipient: recipientOf(body, actorId),
    deposit: depositOf(body),
    durationSeconds: durationOf(body),
    title: titleOf(body),
    start: startOf(body),
  };
}

function recipientOf(body: BodyMembers, actorId: string): string {
  const recipient = textMember(body, "recipient");
  if (recipient === null || !isAddress(recipient))
    throw malformed("recipient must be a Stellar address (G… or M…)");
  if (recipient === actorId) throw malformed("recipient must be somebody else");
  return recipient;
}

function depositOf(body: BodyMembers): bigint {
  const deposit = parseAmount(textMember(body, "deposit") ?? "");
  if (deposit === null) {
    throw malformed(
      'deposit must be a decimal text above 0 with at most 7 digits after the point, as "12.5"',
    );
  }
  return deposit;
}

function durationOf(body: BodyMembers): number {
  const seconds = body.get("duration_seconds");
  const fits =
    typeof seconds === "number" &&
    Number.isInteger(seconds) &&
    seconds >= DURATION_MIN_SECONDS &&
    seconds <= DURATION_MAX_SECONDS;
  if (fits) return seconds;
  throw malformed(
    `duration_seconds must be a whole number from ${DURATION_MIN_SECONDS} to ${DURATION_MAX_SECONDS}`,
  );
}

/** Control characters and line ends, and what turns the text around it: one side reads what the other has written. */
const NOT_ONE_LINE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

function titleOf(body: BodyMembers): string | null {
  if (body.get("title") === null) return null;
  const title = textMember(body, "title")?.trim() || null;
  if (title === null) return null;
  if ([...title].length > TITLE_MAX_CHARS)
    throw malformed(`title may have ${TITLE_MAX_CHARS} characters at most`);
  if (NOT_ONE_LINE.test(title)) throw malformed("title must be one line of text");
  return title;
}

function startOf(body: BodyMembers): boolean {
  const start = body.get("start") ?? false;
  if (typeof start !== "boolean") throw malformed("start must be true or false");
  return start;
}
