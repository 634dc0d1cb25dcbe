import { SessionError } from "../../errors.ts";

const TOKEN_PARAMETERS = ["refresh_token", "access_token", "token"];

/** One value of the query. Null when it is absent or empty (RFC 6749 §3.2); twice is refused. @throws invalid_request */
export function queryValue(request: Request, name: string): string | null {
  const values = new URL(request.url).searchParams.getAll(name);
  if (values.length > 1) throw new SessionError("invalid_request", `The parameter ${name} comes twice.`);
  return values[0] || null;
}

/** URLs end in logs and histories, so a token in one is refused even where it would not be read. @throws invalid_request */
export function refuseTokensInQuery(request: Request): void {
  const { searchParams } = new URL(request.url);
  if (TOKEN_PARAMETERS.some((name) => searchParams.has(name))) {
    throw new SessionError("invalid_request", "A token never goes into a URL.");
  }
}
