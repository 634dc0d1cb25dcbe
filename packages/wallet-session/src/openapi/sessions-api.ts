/*
 * What the document says of the endpoints of this package. A new endpoint takes one entry in `paths` here: an id and a
 * summary, who may ask (`by`), what goes in, what comes out, and the codes that it refuses with. Its examples come from the
 * schemas, its error answers from the codes. The tests then hold each of its answers to the entry, and send its example.
 */
import type { AuthPaths } from "../auth-paths.ts";
import { ERROR_CODES, ERROR_MEANINGS, type ErrorCode } from "../error-codes.ts";
import {
  REFRESH_BODY_MAX_BYTES,
  SESSION_ALARMS_LISTED,
  SESSIONS_LISTED,
  SIGN_IN_BODY_MAX_BYTES,
} from "../limits.ts";
import type { WalletMethod } from "../wallets/wallet.ts";
import { devicePaths } from "./device-paths.ts";
import type { ApiPart } from "./document.ts";
import { eventStream, get, type Paths, post } from "./operation.ts";
import { choice, integer, list, object, ref, type Schema, type Schemas, text } from "./schema.ts";
import * as values from "./session-schemas.ts";

export interface SessionsApi {
  readonly paths: AuthPaths;
  readonly wallet: Pick<WalletMethod, "takes" | "wellKnown">;
  readonly sitePaths: Readonly<
    Record<"openapi" | "jwks" | "stellarToml" | "oauthMetadata" | "healthz" | "readyz" | "metrics", string>
  >;
  readonly hasMetrics: boolean;
  /** Whether somebody may introspect. */
  readonly hasClients: boolean;
}

/** The part of this package, as it is configured. */
export function sessionsApi(configured: SessionsApi): ApiPart<ErrorCode> {
  const problems = ERROR_CODES.map((code) => {
    return [code, { ...ERROR_MEANINGS[code], type: `urn:wallet-session:problem:${code}` }] as const;
  });
  return {
    info: { title: "wallet-session", version: "0.1.0" },
    tags: {
      "Sign in": "A wallet signs a challenge, and gets a session.",
      Refresh: "A refresh token for its successor, and for a new access token.",
      OAuth: "The same for clients that know OAuth alone, and the look-up of tokens for resource servers.",
      Sessions: "The sessions of an account: they are listed, watched and ended.",
      Service: "Keys, health and figures of the service.",
    },
    schemas: values.SCHEMAS,
    problems: Object.fromEntries(problems),
    paths: {
      ...walletPaths(configured),
      ...refreshPaths(configured.paths),
      ...oauthPaths(configured),
      ...devicePaths(configured.paths),
      ...sessionPaths(configured.paths),
      ...sitePaths(configured),
    },
  };
}

function walletPaths({ paths: { wallet: path }, wallet: { takes } }: SessionsApi): Paths<ErrorCode> {
  const named = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, values.WALLET_TEXTS[name] ?? text("example")]));
  const challenges = takes.answer.flatMap((name) => values.CHALLENGES[name] ?? []);
  const common = { tag: "Sign in", headers: values.TRANSPORT_HEADER, errors: "sep-10" } as const;
  return {
    [path]: {
      get: {
        ...common,
        by: "none",
        id: "getChallenge",
        summary: "A challenge to sign",
        description: 'SEP-10, "Challenge". Good for 5 minutes and one sign-in.',
        query: named(takes.challenge),
        required: takes.challenge.filter((name) => name === "account"),
        gives: challenges[0] ?? { type: "object", examples: [{}] },
        refuses: ["invalid_request", "rate_limited"],
      },
      post: {
        ...common,
        by: "body",
        id: "signIn",
        summary: "The signed challenge for a session",
        description:
          'SEP-10, "Token". By cookie it must come from the site\'s own pages. With a DPoP proof the session is bound to its key: ' +
          "the answer has a `DPoP-Nonce` for the next refresh. `Session-Binding: refresh-only` beside it: not the requests.",
        body: { schema: object(named(takes.answer)), maxBytes: SIGN_IN_BODY_MAX_BYTES, form: true },
        gives: { anyOf: [ref("SignInTokens"), ref("CookieTokens")] },
        answers: {
          403: {
            description: "`cross_origin`, or a code of the app's own, which refuses this account.",
            schema: ref("Problem"),
          },
        },
        refuses: [
          "challenge_invalid",
          "challenge_expired",
          "challenge_used",
          "signature_invalid",
          "rate_limited",
          "store_unavailable",
          "horizon_unavailable",
        ],
      },
    },
  };
}

function refreshPaths({ refresh, logout }: AuthPaths): Paths<ErrorCode> {
  const query: Schemas = {
    next: text("/streams", { description: "The path to go on to. Default: `/`." }),
    else: text("/sign-in", { description: "The path to go to where there is no session. Default: `next`." }),
  };
  const body = {
    schema: object({}, { refresh_token: values.REFRESH_TOKEN }),
    maxBytes: REFRESH_BODY_MAX_BYTES,
    form: true,
    required: false,
  };
  const goesOn = { headers: { Location: text("/streams", { description: "A path of this site." }) } };
  return {
    [refresh]: {
      get: {
        id: "refreshPage",
        tag: "Refresh",
        summary: "The refresh of a page load",
        description:
          "The bounce: pages without a good access cookie send here. `else` gets a `reason` where a session is over or bound.",
        by: "refresh",
        query,
        answers: {
          303: { ...goesOn, description: "To `next`, to `else`, or back here with a retry key." },
          204: { description: "This was no page load: nothing has happened." },
        },
        refuses: ["invalid_request", "rate_limited", "store_unavailable", "proof_unavailable"],
        errors: "page",
        acceptsAny: true,
      },
      post: {
        id: "refresh",
        tag: "Refresh",
        summary: "A refresh token for its successor and an access token",
        description:
          "By body or by cookie. A retry with the same key gets the same answer. A session that is bound to a DPoP key needs a " +
          "proof over the last `DPoP-Nonce`. With `next`: the refresh of a form.",
        by: "refresh",
        query,
        headers: values.RETRY_KEY_HEADER,
        body,
        gives: { anyOf: [ref("Tokens"), ref("CookieTokens")] },
        answers: {
          303: { ...goesOn, description: "A form without a session: to `else`." },
          307: { ...goesOn, description: "A form: to `next`, as a POST." },
        },
        refuses: ["refresh_token_missing", ...values.REFRESH_REFUSALS, "cross_origin", "proof_unavailable"],
        errors: "page",
      },
    },
    [logout]: post({
      id: "signOut",
      tag: "Sessions",
      summary: "Sign out",
      description:
        "Ends the session of the token in the body, else of the bearer token, else of the cookies. Without any: 204 too.",
      by: "any",
      body,
      answers: { 204: {} },
      refuses: ["cross_origin", "store_unavailable"],
    }),
  };
}

function oauthPaths({ paths, sitePaths, hasClients }: SessionsApi): Paths<ErrorCode> {
  const oauth = { tag: "OAuth", by: "none", errors: "oauth" } as const;
  const form = (schema: Schema) => ({ schema, maxBytes: REFRESH_BODY_MAX_BYTES, form: "alone" as const });
  const token = form(object({ token: values.REFRESH_TOKEN }, { token_type_hint: text("refresh_token") }));
  const grant = { grant_type: { const: "refresh_token" }, refresh_token: values.REFRESH_TOKEN };
  return {
    [paths.token]: post({
      ...oauth,
      by: "body",
      id: "renewTokens",
      summary: "A refresh token for its successor and an access token (RFC 6749 §6)",
      description:
        "Clients need not be known. One that shows a secret is refused. A session that is bound to a DPoP key needs a proof.",
      headers: values.RETRY_KEY_HEADER,
      body: form(object(grant, { client_id: text("app") })),
      gives: ref("OAuthTokens"),
      refuses: ["unsupported_grant_type", ...values.REFRESH_REFUSALS, "invalid_client"],
    }),
    [paths.revoke]: post({
      ...oauth,
      id: "revokeToken",
      summary: "End the session of a refresh or an access token (RFC 7009)",
      body: token,
      answers: { 200: { description: "Also where there is no such token." } },
      refuses: ["store_unavailable"],
      acceptsAny: true,
    }),
    ...(hasClients && {
      [paths.introspect]: post({
        ...oauth,
        by: "client",
        id: "introspectToken",
        summary: "What a token is good for (RFC 7662)",
        body: token,
        gives: {
          anyOf: [
            ref("ActiveRefreshToken"),
            ref("ActiveAccessToken"),
            { ...object({ active: { const: false } }), description: "Anything else." },
          ],
        },
        refuses: ["invalid_client", "rate_limited", "store_unavailable"],
      }),
    }),
    [sitePaths.oauthMetadata]: get({
      tag: "OAuth",
      by: "none",
      id: "getOAuthMetadata",
      summary: "Where all this is, and what it can do (RFC 8414)",
      gives: { type: "object", examples: [{ issuer: "https://pay.example.com" }] },
    }),
  };
}

function sessionPaths({ session, sessions, sessionById, alarms, events }: AuthPaths): Paths<ErrorCode> {
  const tag = "Sessions";
  const guarded = { tag, by: "access" } as const;
  const listed = list(ref("ListedSession"), { maxItems: SESSIONS_LISTED });
  const reported = list(ref("Alarm"), { maxItems: SESSION_ALARMS_LISTED });
  return {
    [session]: get({ ...guarded, id: "getSession", summary: "Who is signed in", gives: ref("Session") }),
    [sessions]: {
      get: {
        ...guarded,
        id: "listSessions",
        summary: "The account's live sessions, newest first",
        gives: object({ sessions: listed }),
      },
      delete: {
        ...guarded,
        id: "endSessions",
        summary: "End the account's other sessions, or all",
        query: { scope: choice(["others", "all"], { default: "others" }) },
        gives: object({ revoked: integer(2, { description: "How many were ended." }) }),
      },
    },
    [sessionById]: {
      delete: {
        ...guarded,
        id: "endSession",
        summary: "End one of the account's sessions",
        answers: { 204: {} },
        refuses: ["not_found"],
      },
    },
    [alarms]: get({
      ...guarded,
      id: "listAlarms",
      summary: "Sessions that the reuse of a token has ended",
      description: "Those of the last 7 days, newest first.",
      gives: object({ alarms: reported }),
    }),
    [events]: {
      get: eventStream(
        { id: "watchSession", tag, summary: "The news of the session" },
        values.SESSION_EVENTS,
      ),
    },
  };
}

function sitePaths({ sitePaths: paths, hasMetrics, wallet }: SessionsApi): Paths<ErrorCode> {
  const tag = "Service";
  const open = { tag, by: "none" } as const;
  const plain = (example: string) => ({ 200: { type: "text/plain", schema: text(example) } });
  return {
    [paths.jwks]: get({
      ...open,
      id: "getKeys",
      summary: "The public keys of access tokens (RFC 7517)",
      gives: ref("Keys"),
      refuses: ["store_unavailable"],
    }),
    ...(wallet.wellKnown?.["stellar.toml"] !== undefined && {
      [paths.stellarToml]: get({
        ...open,
        id: "getStellarToml",
        summary: "Where Stellar wallets sign in (SEP-1)",
        answers: plain(`SIGNING_KEY = "${values.ACCOUNT}"\n`),
        acceptsAny: true,
      }),
    }),
    [paths.healthz]: get({
      ...open,
      id: "getHealth",
      summary: "Whether the process answers",
      gives: object({ status: { const: "alive" } }),
    }),
    [paths.readyz]: get({
      ...open,
      id: "getReadiness",
      summary: "Whether the process can serve",
      gives: object({ status: { const: "ready" }, store: { const: true }, revocations: { const: true } }),
      refuses: ["store_unavailable"],
    }),
    [paths.openapi]: get({
      ...open,
      id: "getOpenApi",
      summary: "This document (OpenAPI 3.1)",
      gives: { type: "object", examples: [{ openapi: "3.1.1" }] },
    }),
    ...(hasMetrics && {
      [paths.metrics]: get({
        tag,
        id: "getMetrics",
        summary: "Figures for Prometheus",
        by: "metrics",
        answers: plain("wallet_session_sessions_live 3\n"),
        refuses: ["access_token_missing", "access_token_invalid", "store_unavailable"],
        acceptsAny: true,
      }),
    }),
  };
}
