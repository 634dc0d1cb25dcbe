import { AUTH_BASE_PATH } from "../auth-paths.ts";

/** Answers one request. */
export type Handler = (request: Request) => Promise<Response>;

/**
 * Answers one request of a route. `parameters` holds what the path has in the place of each `{name}` of the route's
 * template, as it stands in the URL: percent-escapes are not decoded. Ids in base64url need no decoding.
 */
export type RouteHandler<Parameters = NoParameters> = (
  request: Request,
  parameters: Parameters,
) => Promise<Response>;

/** One handler for each method that an endpoint serves. HEAD and OPTIONS come by themselves. */
export type MethodHandlers<Parameters = NoParameters> = Partial<
  Record<"GET" | "POST" | "DELETE", RouteHandler<Parameters>>
>;

/** Of a template without a `{name}`. */
type NoParameters = Readonly<Record<never, string>>;

/** The parameters that a template names: `{ readonly id: string }` for `/api/streams/{id}`. */
export type RouteParameters<Route extends string> = { readonly [Name in ParameterNames<Route>]: string };

type ParameterNames<Route extends string> = Route extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterNames<Rest>
  : never;

/**
 * The path as browsers see it: a framework or a proxy may have taken off how the base path begins, as Next does with its own
 * `basePath`. What is left of the base path is at least its last segment. Of the default one nothing is missing: an app may
 * well have an `/auth/session` of its own.
 */
export function pathWithBase(pathname: string, basePath: string): string {
  if (basePath === AUTH_BASE_PATH) return pathname;
  for (let at = 0; at !== -1; at = basePath.indexOf("/", at + 1)) {
    if (pathname.startsWith(`${basePath.slice(at)}/`)) return basePath.slice(0, at) + pathname;
  }
  return pathname;
}

/** A slash at the end of a path names the same endpoint. */
export function withoutSlash(pathname: string): string {
  return pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
}

/** Whether the path is one of the template's, segment by segment. A parameter is never empty. */
export function isPathOf(route: string, pathname: string): boolean {
  const expected = route.split("/");
  const given = withoutSlash(pathname).split("/");
  return (
    expected.length === given.length &&
    expected.every((segment, at) => (isParameter(segment) ? given[at] !== "" : segment === given[at]))
  );
}

/**
 * Finds the template's parameters in paths. Counts segments from the end of the path, so that an endpoint can be mounted
 * below a prefix, as under a `basePath` of Next.
 */
export function parameterReader<Route extends string>(
  route: Route,
): (pathname: string) => RouteParameters<Route> {
  const segments = route.split("/").reverse();
  const places = segments.flatMap((segment, at) =>
    isParameter(segment) ? [[segment.slice(1, -1), at] as const] : [],
  );
  return (pathname) => {
    const given = withoutSlash(pathname).split("/").reverse();
    return Object.fromEntries(places.map(([name, at]) => [name, given[at] ?? ""])) as RouteParameters<Route>;
  };
}

function isParameter(segment: string): boolean {
  return segment.startsWith("{") && segment.endsWith("}");
}
