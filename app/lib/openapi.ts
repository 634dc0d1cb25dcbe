import type { ErrorCode } from "wallet-session";
import {
  type ApiPart,
  choice,
  eventStream,
  integer,
  list,
  nullable,
  type Operation,
  object,
  RETRY_KEY_HEADER,
  ref,
  type Schema,
  type Schemas,
  STEP_UP,
  text,
  time,
} from "wallet-session/openapi";
import {
  FAILURES_LISTED,
  OPERATION_MAX_BODY_BYTES,
  OPERATION_MAX_STREAMS,
  OPERATIONS_LISTED,
} from "./operations/limits.ts";
import type { OperationStatus, PauseReason } from "./operations/tables.ts";
import { REFUSALS, type RefusalCode, refusalType } from "./refusals.ts";
import {
  DURATION_MAX_SECONDS,
  DURATION_MIN_SECONDS,
  HISTORY_SHOWN,
  LIST_LIMIT_DEFAULT,
  LIST_LIMIT_MAX,
  STREAM_BODY_MAX_BYTES,
} from "./streams/limits.ts";
import type { SettlementRefusal } from "./streams/settlement.ts";
import { ROLES, STREAM_STATUSES, type StreamEventType } from "./streams/stream.ts";
import { STREAM_COMMANDS } from "./streams/transitions.ts";

type Code = ErrorCode | RefusalCode;

const SENDER = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
const RECIPIENT = "GB3JDWCQJCWMJ3IILWIGDTQJJC5567PGVEVXSCVPEQOTDN64VJBDQBYX";
const ID = text("mZ1vQ0m1Yc8t2Gk5sXjarA", { pattern: "^[\\w-]{22}$" });
const STARTED_AT = time("2026-11-24T10:00:00.000Z");
const PERSON = text(SENDER, { description: "`G…` or `M…`." });

function amount(example: string, more: Schema = {}): Schema {
  return text(example, { pattern: "^\\d+\\.\\d{7}$", ...more });
}

const ACCRUAL: Schemas = {
  accrued: amount("1200.0000000"),
  withdrawable: amount("700.0000000"),
  elapsed_seconds: integer(1_200),
  as_of: time("2026-11-24T10:20:00.000Z"),
};
const STREAM: Schemas = {
  id: ID,
  status: choice(STREAM_STATUSES, { examples: ["active"] }),
  version: integer(3),
  sender: PERSON,
  recipient: text(RECIPIENT),
  role: choice(ROLES, { description: "The asking account's." }),
  title: nullable(text("Rent")),
  asset: { const: "XLM" },
  duration_seconds: integer(3_600),
  deposited: amount("3600.0000000"),
  settled: amount("600.0000000"),
  withdrawn: amount("500.0000000"),
  refunded: amount("0.0000000"),
  remaining: amount("3000.0000000"),
  ...ACCRUAL,
  created_at: STARTED_AT,
  started_at: nullable(STARTED_AT),
  ends_at: nullable(time("2026-11-24T11:00:00.000Z", "When it runs out; null unless active.")),
  ended_at: nullable(time("2026-11-24T11:00:00.000Z", "When it was completed or cancelled.")),
};
const EVENT_TYPES = [
  "created",
  "started",
  "paused",
  "resumed",
  "settled",
  "withdrawn",
  "cancelled",
  "completed",
] as const satisfies readonly StreamEventType[];
const FAILED = ["recipient_missing", "recipient_refuses", "rejected"] as const satisfies SettlementRefusal[];
const RUN = ["queued", "running", "paused", "completed", "cancelled"] as const satisfies OperationStatus[];
const PAUSES = ["session_revoked", "reuse_detected"] as const satisfies PauseReason[];

const SCHEMAS: Schemas = {
  Stream: object(STREAM),
  StreamWithHistory: object({ ...STREAM, history: list(ref("StreamEvent"), { maxItems: HISTORY_SHOWN }) }),
  StreamEvent: object({
    id: integer(12),
    at: STARTED_AT,
    type: choice(EVENT_TYPES, { examples: ["settled"] }),
    by: text(SENDER),
    amount: nullable(amount("300.0000000", { description: "What was moved." })),
    operation_id: nullable(ID),
  }),
  Operation: object({
    id: ID,
    type: { const: "settle_streams" },
    status: choice(RUN, { examples: ["running"] }),
    version: integer(417),
    session_id: text("nQ7xQ0m1Yc8t2Gk5sXjarA", { description: "The session under which it runs." }),
    pause_reason: nullable(choice(PAUSES, { examples: [null] })),
    total: integer(1_000),
    done: integer(412),
    skipped: integer(3, { description: "Had nothing to settle, or could not be settled any more." }),
    failed: integer(1, { description: "Refused for good; nothing moved." }),
    failures: list(object({ stream_id: ID, reason: choice(FAILED) }), { maxItems: FAILURES_LISTED }),
    settled_amount: amount("8240.0000000"),
    rate_per_second: { type: ["number", "null"], examples: [98.5], description: "Of the last seconds." },
    created_at: STARTED_AT,
    updated_at: STARTED_AT,
    started_at: nullable(STARTED_AT),
    finished_at: nullable(STARTED_AT),
    paused_at: nullable(STARTED_AT),
    grant_ended_at: nullable(time("2026-11-24T10:00:00.000Z", "When its session was ended.")),
  }),
};

const streams = { tag: "Streams", by: "access" } as const;
const operations = { tag: "Operations", by: "access" } as const;
const ETAG: Schemas = { ETag: text('"3"', { description: "The version." }) };
const LOCATION: Schemas = { Location: text("/api/streams/mZ1vQ0m1Yc8t2Gk5sXjarA") };
/** Of a body that is not needed and yet read. */
const BODY_REFUSED = ["body_too_large", "unsupported_media_type"] as const;
const STATE = "event: stream.state\nid: 12\ndata: {…}\n\n";
const OPERATION_STATE = "event: operation.state\nid: 417\ndata: {…}\n\n";

function streamCommand(command: (typeof STREAM_COMMANDS)[number]): Operation<Code> {
  // Above a limit a withdrawal takes a signature of its own.
  const stepUp = command === "withdraw" ? STEP_UP : { headers: {}, answers: {}, refuses: [] };
  return {
    ...streams,
    id: `${command}Stream`,
    summary: `${command[0]?.toUpperCase()}${command.slice(1)} a stream`,
    headers: {
      ...RETRY_KEY_HEADER,
      "If-Match": text("*", { description: "Only at that version." }),
      ...stepUp.headers,
    },
    answers: {
      200: { description: "The stream afterwards.", schema: ref("Stream"), headers: ETAG },
      ...stepUp.answers,
    },
    refuses: [
      ...BODY_REFUSED,
      ...stepUp.refuses,
      "not_permitted",
      "not_found",
      "stream_state",
      "settlement_refused",
      "version_conflict",
      "idempotency_mismatch",
      "settlement_unavailable",
    ],
  };
}

function operationCommand(id: string, summary: string, refuses: readonly Code[] = []): Operation<Code> {
  return {
    ...operations,
    id,
    summary,
    headers: RETRY_KEY_HEADER,
    gives: ref("Operation"),
    refuses: [...BODY_REFUSED, "not_found", "operation_state", "idempotency_mismatch", ...refuses],
  };
}

/** What the document says of StreamPay's own endpoints. */
export const streamPay: ApiPart<Code> = {
  info: { title: "StreamPay", version: "0.1.0", description: "Payment streams on Stellar." },
  tags: {
    Streams: "Money that flows from one account to another, by the second.",
    Operations: "Work on many streams, which goes on without its user.",
  },
  schemas: SCHEMAS,
  problems: Object.fromEntries(
    Object.entries(REFUSALS).map(([code, meaning]) => [code, { ...meaning, type: refusalType(code) }]),
  ),
  paths: {
    "/api/streams": {
      get: {
        ...streams,
        id: "listStreams",
        summary: "The account's streams, newest first",
        query: {
          status: choice(STREAM_STATUSES),
          role: choice(ROLES),
          limit: integer(LIST_LIMIT_DEFAULT, {
            minimum: 1,
            maximum: LIST_LIMIT_MAX,
            default: LIST_LIMIT_DEFAULT,
          }),
          cursor: text("MTc2NDAwMDAwMDAwMA", { description: "`next_cursor` of the page before." }),
        },
        gives: object({
          streams: list(ref("Stream"), { maxItems: LIST_LIMIT_MAX }),
          next_cursor: nullable(text("MTc2NDAwMDAwMDAwMA")),
          counts: object(Object.fromEntries(STREAM_STATUSES.map((status) => [status, integer(1)]))),
        }),
      },
      post: {
        ...streams,
        id: "createStream",
        summary: "A new stream",
        headers: RETRY_KEY_HEADER,
        body: {
          schema: object(
            {
              recipient: text(RECIPIENT, { description: "`G…` or `M…`, and not oneself." }),
              deposit: text("3600", { pattern: "^\\d{1,12}(\\.\\d{1,7})?$", description: "Above 0." }),
              duration_seconds: integer(3_600, {
                minimum: DURATION_MIN_SECONDS,
                maximum: DURATION_MAX_SECONDS,
              }),
            },
            {
              title: nullable(text("Rent", { description: "A line of at most 80 characters." })),
              start: { type: "boolean", default: false, examples: [true] },
            },
          ),
          maxBytes: STREAM_BODY_MAX_BYTES,
        },
        answers: { 201: { schema: ref("Stream"), headers: { ...ETAG, ...LOCATION } } },
        refuses: ["stream_state", "idempotency_mismatch", "rate_limited"],
      },
    },
    "/api/streams/{id}": {
      get: {
        ...streams,
        id: "getStream",
        summary: "A stream and its history",
        answers: { 200: { schema: ref("StreamWithHistory"), headers: ETAG } },
        refuses: ["not_found"],
      },
    },
    ...Object.fromEntries(
      STREAM_COMMANDS.map((command) => [`/api/streams/{id}/${command}`, { post: streamCommand(command) }]),
    ),
    "/api/streams/{id}/events": {
      get: eventStream({ id: "watchStream", tag: streams.tag, summary: "The news of a stream" }, STATE, [
        "not_found",
      ]),
    },
    "/api/events": {
      get: eventStream(
        { id: "watchAll", tag: streams.tag, summary: "The news of all that the account may see" },
        STATE + OPERATION_STATE,
      ),
    },
    "/api/operations": {
      get: {
        ...operations,
        id: "listOperations",
        summary: "The account's operations, newest first",
        gives: object({ operations: list(ref("Operation"), { maxItems: OPERATIONS_LISTED }) }),
      },
      post: {
        ...operations,
        id: "settleStreams",
        summary: "Settle many streams",
        headers: RETRY_KEY_HEADER,
        body: {
          schema: object({
            type: { const: "settle_streams" },
            stream_ids: {
              anyOf: [
                list(ID, { minItems: 1, maxItems: OPERATION_MAX_STREAMS, uniqueItems: true }),
                { const: "all", description: "Every active or paused one." },
              ],
            },
          }),
          maxBytes: OPERATION_MAX_BODY_BYTES,
        },
        answers: { 202: { schema: ref("Operation"), headers: LOCATION } },
        refuses: ["not_found", "operation_state", "idempotency_mismatch", "rate_limited"],
      },
    },
    "/api/operations/{id}": {
      get: {
        ...operations,
        id: "getOperation",
        summary: "An operation",
        gives: ref("Operation"),
        refuses: ["not_found"],
      },
    },
    "/api/operations/{id}/resume": {
      post: operationCommand("resumeOperation", "Go on under the asking session", ["signature_required"]),
    },
    "/api/operations/{id}/cancel": { post: operationCommand("cancelOperation", "Take no further step") },
    "/api/operations/{id}/events": {
      get: eventStream(
        { id: "watchOperation", tag: operations.tag, summary: "The news of an operation" },
        OPERATION_STATE,
        ["not_found"],
      ),
    },
  },
};
