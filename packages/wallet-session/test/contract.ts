import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { AUTH_BASE_PATH, authPaths } from "../src/auth-paths.ts";
import { ERROR_MEANINGS, type ErrorCode } from "../src/error-codes.ts";
import { SITE_ROUTES } from "../src/http/create-handlers.ts";
import { isPathOf, pathWithBase } from "../src/http/handler.ts";
import { type ApiPart, type OpenApiDocument, openApiDocument } from "../src/openapi/document.ts";
import { sessionsApi } from "../src/openapi/sessions-api.ts";
import type { WalletMethod } from "../src/wallets/wallet.ts";

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Null for one that was not read, such as an event stream. */
  readonly text: string | null;
}

/** What holds answers to the OpenAPI document. */
export interface Contract {
  readonly document: OpenApiDocument;
  /** @throws Error for an answer to a documented path that is not documented, and for an answer of an undocumented endpoint */
  check(method: string, path: string, answered: Answered): void;
  /** Whether the value is one that the schema describes. @throws Error that says why it is not */
  requireValid(schema: object, value: unknown): void;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const STELLAR: WalletMethod["takes"] = {
  challenge: ["account", "memo", "home_domain", "client_domain", "action"],
  answer: ["transaction"],
};
/** A head that the server refuses, before any endpoint has seen the request. */
const HEAD_REFUSED = [400, 431];
const contracts = new Map<string, Contract>();

/** The contract of a service, with a Stellar wallet by default, and the app's own part. A process makes each but once. */
export function contractOf({
  basePath = AUTH_BASE_PATH,
  hasMetrics = false,
  hasClients = false,
  takes = STELLAR,
  hasToml = true,
  part = { tags: {}, paths: {} } as ApiPart,
} = {}): Contract {
  const key = JSON.stringify([basePath, hasMetrics, hasClients, takes, hasToml, part.info]);
  const known = contracts.get(key);
  if (known !== undefined) return known;
  const wallet = { takes, ...(hasToml && { wellKnown: { "stellar.toml": "" } }) };
  const paths = authPaths(basePath);
  const own = sessionsApi({ paths, wallet, sitePaths: SITE_ROUTES, hasMetrics, hasClients });
  const options = {
    origin: "https://pay.example.com",
    cookieNames: { access: "access", refresh: "refresh" },
  };
  const contract = createContract(openApiDocument(options, [own, part]), basePath);
  contracts.set(key, contract);
  return contract;
}

function createContract(document: OpenApiDocument, basePath: string): Contract {
  const ajv = new Ajv2020({ strictTypes: false, formats: { "date-time": INSTANT } });
  for (const [name, schema] of Object.entries(document.components.schemas))
    ajv.addSchema(closed(schema), name);
  const validators = new Map<object, ValidateFunction>();
  const templates = Object.keys(document.paths);

  function requireValid(schema: object, value: unknown): void {
    const validate = validators.get(schema) ?? ajv.compile(closed(schema));
    validators.set(schema, validate);
    if (!validate(value)) throw new Error(ajv.errorsText(validate.errors));
  }

  /** Why the answer is not as documented; null where it is. */
  function fault(method: string, pathname: string, answered: Answered): string | null {
    const { status, headers, text } = answered;
    const paths = [pathname, pathWithBase(pathname, basePath)];
    const template = templates.find((known) => paths.some((path) => isPathOf(known, path)));
    if (HEAD_REFUSED.includes(status) && !headers.has("x-request-id")) return null;
    // A page's address has no problem.
    const isApi = paths.some(
      (path) => /^\/(?:api|\.well-known)\//.test(path) || path.startsWith(`${basePath}/`),
    );
    if (template === undefined) return isApi ? problemFault("not_found", answered) : null;
    if (method === "OPTIONS") return status === 204 ? null : "OPTIONS is 204";
    const key = (method === "HEAD" ? "get" : method.toLowerCase()) as "get";
    const operation = document.paths[template]?.[key];
    if (operation === undefined)
      return method === "HEAD" ? null : problemFault("method_not_allowed", answered);
    const response = operation.responses[status];
    if (response === undefined) return "this status is not documented";
    for (const name of Object.keys(response.headers ?? {})) {
      if (!headers.has(name)) return `it has no ${name}`;
    }
    const type = headers.get("content-type")?.split(";")[0];
    if (response.content === undefined) return type ? `a body of ${type} is not documented` : null;
    const media = response.content[type ?? ""];
    if (media === undefined) return `${type} is not documented`;
    if (method !== "HEAD" && text !== null && type?.endsWith("json"))
      requireValid(media.schema, JSON.parse(text));
    return null;
  }

  /** What has no entry in the document may only be refused. */
  function problemFault(code: ErrorCode, { status, text }: Answered): string | null {
    if (status !== ERROR_MEANINGS[code].status) return `it is not documented, and yet not ${code}`;
    // To HEAD.
    if (!text) return null;
    const problem = JSON.parse(text);
    const { Problem = {}, OAuthError = {} } = document.components.schemas;
    requireValid("error_description" in problem ? OAuthError : Problem, problem);
    return problem.code === code ? null : `it is not documented, and yet not ${code}`;
  }

  return {
    document,
    requireValid,
    check(method, path, answered) {
      const { pathname } = new URL(path, "https://pay.example.com");
      let why: string | null;
      try {
        why = fault(method, pathname, answered);
      } catch (error) {
        why = String(error);
      }
      if (why === null) return;
      const shown = answered.text?.slice(0, 500) ?? "";
      throw new Error(`Not as documented: ${method} ${pathname}, ${answered.status}: ${why}\n${shown}`);
    },
  };
}

/** The same fetch, which rejects where an answer is not as documented. */
export function documentedFetch(
  contract: () => Contract,
  fetch: (request: Request) => Promise<Response>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { method, url } = request;
    const response = await fetch(request);
    const { status, headers } = response;
    const isStream = headers.get("content-type") === "text/event-stream";
    contract().check(method, url, { status, headers, text: isStream ? null : await response.clone().text() });
    return response;
  };
}

/** The schema without room for members that it does not name, and with the names of others for references. */
function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value) => {
    if (key === "$ref") return value.replace("#/components/schemas/", "");
    if (key === "examples" || key === "example") return undefined;
    return value?.properties === undefined || key === "properties"
      ? value
      : { ...value, unevaluatedProperties: false };
  });
}
