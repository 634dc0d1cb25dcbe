import { STATUS_CODES } from "node:http";
import { answeredStatus, type ErrorForm, mediaTypeOf, oauthError } from "../http/problem.ts";
import { exampleOf, integer, type Json, object, ref, type Schema, type Schemas, text } from "./schema.ts";

/** What the document says of an error code. */
interface ProblemMeaning {
  readonly status: number;
  readonly title: string;
  /** Of the problem (RFC 9457 §3.1.1). */
  readonly type: string;
}

export type Problems = Readonly<Record<string, ProblemMeaning>>;

/**
 * What a request shows of who sends it. `access`: an access token, as {@link Handlers.guard} wants it. `refresh`: a refresh
 * token, in the body or in its cookie. `any`: either, or nothing. `body`: a signature or a refresh token in the body. All but the
 * first may come with a DPoP proof. `client`: the id and the secret of who introspects.
 */
type Credential = "none" | "body" | "access" | "refresh" | "any" | "metrics" | "client";

/** What one method of a path does. `Code`: the error codes that it may name. */
export interface Operation<Code extends string = string> {
  /** Names it in generated clients. */
  readonly id: string;
  /** The part of the document that it stands in. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly by: Credential;
  readonly query?: Schemas;
  readonly headers?: Schemas;
  /** Names of the query and of the headers that must be there. */
  readonly required?: readonly string[];
  readonly body?: RequestBody;
  /** The JSON that it answers with, 200. */
  readonly gives?: Schema;
  /** Its other answers, by status. */
  readonly answers?: Readonly<Record<number, Answer>>;
  /**
   * The codes of its refusals and faults, beside those that go without saying: of its credential and of its body,
   * `not_acceptable` and `internal_error`.
   */
  readonly refuses?: readonly Code[];
  /**
   * An {@link ErrorForm}. `sep-10`, `oauth`: errors are JSON, and a refusal that is 401 elsewhere is 400. `page`: faults are a page where HTML is asked
   * for.
   */
  readonly errors?: Exclude<ErrorForm, "problem"> | "page";
  /** Answers whatever `Accept` says. @default false */
  readonly acceptsAny?: boolean;
}

/** JSON, if nothing else is said. */
export interface RequestBody {
  readonly schema: Schema;
  readonly maxBytes: number;
  /** A form as well, or a form alone. @default false */
  readonly form?: boolean | "alone";
  /** @default true */
  readonly required?: boolean;
}

interface Answer {
  /** @default the name of the status */
  readonly description?: string;
  /** Absent: there is no body. */
  readonly schema?: Schema;
  /** @default "application/json" */
  readonly type?: string;
  /** The headers that it always has. */
  readonly headers?: Schemas;
}

export type Method = "get" | "post" | "delete";
/** Methods by the template of their path. */
export type Paths<Code extends string = string> = Readonly<
  Record<string, Readonly<Partial<Record<Method, Operation<Code>>>>>
>;

/** A path of one method. */
export const get = <Code extends string>(operation: Operation<Code>) => ({ get: operation });
export const post = <Code extends string>(operation: Operation<Code>) => ({ post: operation });

const GUARD = ["access_token_missing", "access_token_invalid", "access_token_expired", "session_revoked"];
const PROOF = ["proof_missing", "proof_invalid", "proof_nonce"];
const BODY = ["invalid_request", "body_too_large", "unsupported_media_type"];

/** One of these, each of which may be several together. */
const SECURITY: Readonly<Record<Credential, readonly (readonly string[])[]>> = {
  none: [],
  body: [[], ["dpopProof"]],
  access: [["accessToken"], ["dpopToken", "dpopProof"], ["accessCookie"]],
  refresh: [["refreshCookie"], [], ["dpopProof"]],
  any: [[], ["accessToken"], ["dpopToken", "dpopProof"], ["accessCookie"], ["refreshCookie"]],
  metrics: [["metricsToken"]],
  client: [["client"]],
};

/** The members of every problem. */
export const PROBLEM: Schema = object(
  {
    type: text("urn:wallet-session:problem:invalid_request"),
    title: text("Invalid request"),
    status: { type: "integer", minimum: 400, maximum: 599, examples: [400] },
    detail: text("The request is malformed.", { description: "For people; may change." }),
    code: text("invalid_request", { description: "For programs." }),
    error: text("The request is malformed.", { description: "The same as `detail`, for SEP-10 clients." }),
  },
  {
    ended_by: { const: "operator", description: "Where an operator has ended the session." },
    action: text("n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg", {
      description: "Of `insufficient_user_authentication`: the hash that the wallet is to sign.",
    }),
  },
);

/** The members of an error of OAuth (RFC 6749 §5.2). */
export const OAUTH_ERROR: Schema = object({
  error: text("invalid_request", { description: "As the RFCs name it." }),
  error_description: text("The request is malformed.", { description: "For people; may change." }),
  code: text("invalid_request", { description: "For programs." }),
});

/** An answer as OpenAPI has it. */
export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, Media>>;
}

/** Of a type of body: what is in it, and one or several of it. */
interface Media {
  readonly schema: Schema;
  readonly example?: Json;
  readonly examples?: Readonly<Record<string, { readonly value: Json }>>;
}

/**
 * An endpoint that answers with `handlers.eventStream`.
 * @param events as they come over the wire, beside those of the session
 */
export function eventStream<Code extends string = never>(
  named: Pick<Operation, "id" | "tag" | "summary">,
  events: string,
  refuses: readonly Code[] = [],
): Operation<Code | "cross_origin"> {
  return {
    ...named,
    description: "With `session.expiring`, `session.renewed` and, as the last, `session.ended`.",
    by: "access",
    headers: { "Last-Event-ID": text("12", { maxLength: 128, description: "The last that was seen." }) },
    answers: { 200: { type: "text/event-stream", schema: text(`retry: 2000\n\n${events}`) } },
    refuses: ["cross_origin", ...refuses],
  };
}

/** What an operation has more that asks for `handlers.stepUp`. */
export const STEP_UP = {
  headers: {
    "Step-Up": text("eyJ0cmFuc2FjdGlvbiI6IkFBQUFBZ0FBQUFBPSJ9", {
      maxLength: 8_192,
      description: "The wallet's answer to a challenge for the `action`: base64url of its JSON.",
    }),
  },
  answers: {
    307: {
      description: "The browser is to prove its device key, and sends the same again.",
      headers: { Location: text("./withdraw") },
    },
  },
  refuses: [
    "insufficient_user_authentication",
    "challenge_invalid",
    "challenge_expired",
    "challenge_used",
    "signature_invalid",
    "horizon_unavailable",
  ],
} as const;

/** An operation as OpenAPI has it. @throws RangeError for an unknown code, and where a part has no example */
export function openApiOperation(
  path: string,
  method: Method,
  operation: Operation,
  { schemas, problems }: { readonly schemas: Schemas; readonly problems: Problems },
) {
  const { id, tag, summary, description, by, query = {}, headers = {}, required = [], body } = operation;
  const inPath = Object.fromEntries(
    [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => [name, text("3vQ0m1Yc8t2Gk5sXjar1QQ")]),
  );
  const parameters = Object.entries({ path: inPath, query, header: headers }).flatMap(([place, given]) =>
    Object.entries(given).map(([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description && { description }),
      schema,
    })),
  );
  const responses: Record<string, OpenApiResponse> = {};
  for (const [status, codes] of codesByStatus(method, operation, problems)) {
    responses[status] = problemResponse(status, codes, operation.errors, problems);
  }
  const { gives, answers } = operation;
  for (const [status, answer] of Object.entries({ ...(gives && { 200: { schema: gives } }), ...answers })) {
    responses[status] = answerResponse(status, answer, schemas);
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: SECURITY[by].map((schemes) => Object.fromEntries(schemes.map((scheme) => [scheme, []]))),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: requestBody(body, schemas) }),
    responses,
  };
}

function requestBody({ schema, maxBytes, form = false, required = true }: RequestBody, named: Schemas) {
  const media = { schema, example: exampleOf(schema, named) };
  return {
    description: `At most ${maxBytes / 1_024} KiB.`,
    required,
    content: {
      ...(form !== "alone" && { "application/json": media }),
      ...(form && { "application/x-www-form-urlencoded": media }),
    },
  };
}

function answerResponse(status: string, answer: Answer, named: Schemas): OpenApiResponse {
  const { description = STATUS_CODES[status] ?? status, schema, type = "application/json", headers } = answer;
  return {
    description,
    ...(headers && { headers: headersOf(headers) }),
    ...(schema && { content: { [type]: { schema, example: exampleOf(schema, named) } } }),
  };
}

function headersOf(headers: Schemas) {
  const described = Object.entries(headers).map(([name, { description, ...schema }]) => [
    name,
    { required: true, ...(description && { description }), schema },
  ]);
  return Object.fromEntries(described);
}

/** The codes of its errors, by the status that each is answered with here. */
function codesByStatus(method: Method, operation: Operation, problems: Problems): Map<number, string[]> {
  const { by, body, refuses = [], errors, acceptsAny = false } = operation;
  const codes = new Set([
    ...(by === "access" ? ["invalid_request", ...GUARD, "store_unavailable"] : []),
    ...(by === "access" && method !== "get" ? ["cross_origin"] : []),
    ...(by === "none" || by === "metrics" || by === "client" ? [] : PROOF),
    ...(body ? BODY : []),
    ...(acceptsAny ? [] : ["not_acceptable"]),
    ...refuses,
    "internal_error",
  ]);
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status } = meaningOf(code, problems);
    const answered = answeredStatus(formOf(errors), { status, code });
    byStatus.set(answered, [...(byStatus.get(answered) ?? []), code]);
  }
  return byStatus;
}

function problemResponse(
  status: number,
  codes: readonly string[],
  form: Operation["errors"],
  problems: Problems,
): OpenApiResponse {
  const examples = codes.map((code) => {
    const { type, title } = meaningOf(code, problems);
    const detail = `${title}.`;
    const problem = { type, title, status, detail, code, error: detail };
    return [code, { value: form === "oauth" ? oauthError({ code, message: detail }) : problem }] as const;
  });
  const headers: Schemas = {
    ...((status === 429 || status === 503) && { "Retry-After": integer(2, { description: "In seconds." }) }),
    // A refused signature has none.
    ...(codes.includes("access_token_invalid") &&
      !codes.includes("challenge_used") && {
        "WWW-Authenticate": text('Bearer error="invalid_token"'),
      }),
    ...(codes.includes("invalid_client") && { "WWW-Authenticate": text('Basic realm="wallet-session"') }),
  };
  const schema: Schema =
    form === "oauth"
      ? { ...ref("OAuthError"), properties: { code: { enum: codes } } }
      : { ...ref("Problem"), properties: { status: { const: status }, code: { enum: codes } } };
  const isPage = form === "page" && (status >= 500 || status === 429);
  return {
    description: codes.map((code) => `\`${code}\``).join(", "),
    ...(Object.keys(headers).length > 0 && { headers: headersOf(headers) }),
    content: {
      [mediaTypeOf(formOf(form))]: {
        schema,
        examples: Object.fromEntries(examples),
      },
      ...(isPage && { "text/html": { schema: { type: "string" }, example: "<!doctype html>…" } }),
    },
  };
}

function formOf(errors: Operation["errors"]): ErrorForm {
  return errors === undefined || errors === "page" ? "problem" : errors;
}

function meaningOf(code: string, problems: Problems): ProblemMeaning {
  const meaning = problems[code];
  if (meaning === undefined) throw new RangeError(`No meaning: ${code}`);
  return meaning;
}
