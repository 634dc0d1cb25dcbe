import { isAddress } from "wallet-session/wallets/stellar-address";
import { amountText } from "../components/money.tsx";
import { durationText } from "../components/time.tsx";
import {
  AMOUNT_MAX_STROOPS,
  DURATION_MAX_SECONDS,
  DURATION_MIN_SECONDS,
  TITLE_MAX_CHARS,
} from "../lib/streams/limits.ts";
import { formatAmount, parseAmount } from "../lib/streams/money.ts";
import type { NewStream } from "./stream-data.ts";

export const DURATION_UNITS = [
  ["minutes", 60],
  ["hours", 3_600],
  ["days", 86_400],
] as const;
export type DurationUnit = (typeof DURATION_UNITS)[number][0];

/** What stands in the form, as it was typed. */
export interface Draft {
  readonly recipient: string;
  readonly amount: string;
  readonly length: string;
  readonly unit: DurationUnit;
  readonly title: string;
  readonly start: boolean;
}

export type DraftField = "recipient" | "amount" | "length" | "title";

export const EMPTY_DRAFT: Draft = {
  recipient: "",
  amount: "",
  length: "1",
  unit: "hours",
  title: "",
  start: true,
};

/** What is wrong with each field, in a sentence; nothing where the server will take it. */
export function mistakesIn(draft: Draft, sender: string): Partial<Record<DraftField, string>> {
  const mistakes: Partial<Record<DraftField, string>> = {};
  const recipient = draft.recipient.trim();
  if (recipient === "") mistakes.recipient = "Say who receives the stream.";
  else if (recipient === sender) mistakes.recipient = "This is your own account.";
  else if (!isAddress(recipient)) {
    mistakes.recipient =
      "This is no Stellar address. One starts with G or M; check for a letter too many or too few.";
  }
  if (parseAmount(draft.amount.trim()) === null) {
    mistakes.amount =
      draft.amount.trim() === ""
        ? "Say how much is streamed in all."
        : `An amount above 0, with at most 7 digits after the point, up to ${amountText(AMOUNT_MAX_STROOPS)}.`;
  }
  const seconds = durationOf(draft);
  if (seconds === null || seconds < DURATION_MIN_SECONDS || seconds > DURATION_MAX_SECONDS) {
    mistakes.length = `A whole number, from ${durationText(DURATION_MIN_SECONDS)} to ${durationText(DURATION_MAX_SECONDS)} in all.`;
  }
  if ([...draft.title.trim()].length > TITLE_MAX_CHARS) {
    mistakes.title = `At most ${TITLE_MAX_CHARS} characters.`;
  }
  return mistakes;
}

/** Seconds, or null where no whole number was typed. */
export function durationOf({ length, unit }: Pick<Draft, "length" | "unit">): number | null {
  if (!/^\d{1,9}$/.test(length.trim())) return null;
  const seconds = DURATION_UNITS.find(([name]) => name === unit)?.[1] ?? 0;
  return Number(length) * seconds;
}

/** The request for a draft without mistakes. */
export function toNewStream(draft: Draft): NewStream {
  const title = draft.title.trim();
  return {
    recipient: draft.recipient.trim(),
    deposit: formatAmount(parseAmount(draft.amount.trim()) ?? 0n),
    duration_seconds: durationOf(draft) ?? 0,
    ...(title !== "" && { title }),
    start: draft.start,
  };
}
