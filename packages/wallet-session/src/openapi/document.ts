import { OAUTH_ERROR, openApiOperation, type Paths, PROBLEM, type Problems } from "./operation.ts";
import type { Schemas } from "./schema.ts";

/**
 * A part of an API: what the document says of some endpoints. An app makes one for its own, and hands it to
 * {@link HandlersOptions.openapi}.
 */
export interface ApiPart<Code extends string = string> {
  /** Of the whole document. The last part's counts. */
  readonly info?: { readonly title: string; readonly version: string; readonly description?: string };
  /** What its tags are about. They stand in this order. */
  readonly tags: Readonly<Record<string, string>>;
  /** Schemas with a name, for `ref`. */
  readonly schemas?: Schemas;
  /** The codes of its own. Those of this package are known. */
  readonly problems?: Problems;
  readonly paths: Paths<Code>;
}

interface DocumentOptions {
  /** Where the service is. */
  readonly origin: string;
  readonly cookieNames: { readonly access: string; readonly refresh: string };
}

/**
 * The OpenAPI 3.1 document of the parts. A later part must not name what an earlier one has.
 * @throws RangeError for a doubled name, an unknown code, and where a schema has no example
 */
export function openApiDocument({ origin, cookieNames }: DocumentOptions, parts: readonly ApiPart[]) {
  const problems = merged(parts.map((part) => part.problems ?? {}));
  const schemas = merged([
    { Problem: PROBLEM, OAuthError: OAUTH_ERROR },
    ...parts.map((part) => part.schemas ?? {}),
  ]);
  const paths = Object.entries(merged(parts.map((part) => part.paths))).map(([path, methods]) => {
    const operations = (["get", "post", "delete"] as const).flatMap((method) => {
      const operation = methods[method];
      return operation
        ? [[method, openApiOperation(path, method, operation, { schemas, problems })] as const]
        : [];
    });
    return [path, Object.fromEntries(operations)] as const;
  });
  return {
    openapi: "3.1.1",
    info: parts.findLast(({ info }) => info)?.info ?? { title: "API", version: "0" },
    servers: [{ url: origin }],
    tags: parts.flatMap((part) =>
      Object.entries(part.tags).map(([name, description]) => ({ name, description })),
    ),
    paths: Object.fromEntries(paths),
    components: {
      schemas,
      securitySchemes: {
        accessToken: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        dpopToken: {
          type: "http",
          scheme: "DPoP",
          description: "Bound to a key (RFC 9449).",
        },
        dpopProof: {
          type: "apiKey",
          in: "header",
          name: "DPoP",
          description: "A proof of the key, made for this request (RFC 9449).",
        },
        accessCookie: { type: "apiKey", in: "cookie", name: cookieNames.access },
        refreshCookie: { type: "apiKey", in: "cookie", name: cookieNames.refresh },
        client: { type: "http", scheme: "basic", description: "The setting INTROSPECTION_CLIENTS." },
        metricsToken: { type: "http", scheme: "bearer", description: "The setting METRICS_TOKEN." },
      },
    },
  };
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

function merged<Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  const all = Object.assign({}, ...records);
  const names = records.flatMap((record) => Object.keys(record));
  const doubled = names.find((name, at) => names.indexOf(name) !== at);
  if (doubled !== undefined) throw new RangeError(`Described twice: ${doubled}`);
  return all;
}
