import { BadValue } from "../config/values.ts";

export const DATABASE_URL_DEFAULT = "sqlite:./data/wallet-session.db";

/** A database within the process. */
export type EmbeddedDatabaseUrl =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string };

/** A database that is asked in SQL. `url` may hold a password. */
export type SqlDatabaseUrl = EmbeddedDatabaseUrl | { readonly kind: "postgres"; readonly url: string };

/** `url` may hold a password. */
export type DatabaseUrl = SqlDatabaseUrl | { readonly kind: "redis"; readonly url: string };

/** Whether it is within the process, and no other machine has part in it. */
export function isEmbedded(url: DatabaseUrl): url is EmbeddedDatabaseUrl {
  return url.kind === "memory" || url.kind === "sqlite";
}

export function databaseUrl(text: string): DatabaseUrl {
  if (/^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)) return { kind: "redis", url: text };
  const sql = readSql(text);
  if (sql !== null) return sql;
  throw new BadValue(
    "must be memory:, sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or redis://USER:PASSWORD@HOST:PORT",
  );
}

export function sqlDatabaseUrl(text: string): SqlDatabaseUrl {
  const sql = readSql(text);
  if (sql !== null) return sql;
  throw new BadValue("must be memory:, sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE");
}

function readSql(text: string): SqlDatabaseUrl | null {
  if (/^postgres(ql)?:\/\/./.test(text) && URL.canParse(text)) return { kind: "postgres", url: text };
  return readEmbedded(text);
}

function readEmbedded(text: string): EmbeddedDatabaseUrl | null {
  if (text === "memory:") return { kind: "memory" };
  const path = text.startsWith("sqlite:") ? text.slice("sqlite:".length) : "";
  return path !== "" && !path.startsWith(":") ? { kind: "sqlite", path } : null;
}
