import type { Json } from "../src/openapi/schema.ts";
import type { Contract } from "./contract.ts";

/** One request for each documented operation, made of its examples. */
export interface ExampleRequest {
  /** Such as `post /api/auth/refresh`. */
  readonly name: string;
  /** For what `live` says by the names of parameters and of members of the body; all else is as documented. */
  request(origin: string, live: Readonly<Record<string, Json>>, headers?: Record<string, string>): Request;
  /** The name of what it shows of who sends it, as the document has it; undefined for none. */
  readonly scheme: string | undefined;
}

/** Of the query, what makes another request of it, or asks another host. */
const LEFT_OUT = ["next", "else", "client_domain", "cursor"];

export function exampleRequests({ document }: Contract): ExampleRequest[] {
  return Object.entries(document.paths).flatMap(([template, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const schemes = operation.security.flatMap((scheme) => Object.keys(scheme));
      return {
        name: `${method} ${template}`,
        scheme: schemes.find((scheme) => scheme !== "refreshCookie"),
        request(origin, live, headers = {}) {
          const url = new URL(origin);
          const sent = new Headers(headers);
          let path = template;
          for (const { name, in: place, schema } of operation.parameters ?? []) {
            const value = String(live[name] ?? schema.examples?.[0] ?? schema.default ?? schema.enum?.[0]);
            if (place === "path") path = path.replace(`{${name}}`, value);
            if (place === "header") sent.set(name, value);
            if (place === "query" && !LEFT_OUT.includes(name)) url.searchParams.set(name, value);
          }
          url.pathname = path;
          const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
          const example = media?.example;
          if (type === undefined || example === undefined)
            return new Request(url, { method: method.toUpperCase(), headers: sent });
          sent.set("Content-Type", type);
          const given = Object.entries(example ?? {}).map(([name, value]) => [name, live[name] ?? value]);
          const members = Object.fromEntries(given);
          const body = type.endsWith("json") ? JSON.stringify(members) : String(new URLSearchParams(members));
          return new Request(url, { method: method.toUpperCase(), headers: sent, body });
        },
      };
    }),
  );
}
