import { BadValue } from "../config/values.ts";

export const DATABASE_URL_DEFAULT = "sqlite:./data/wallet-session.db";

/** A database within the process. */
export type EmbeddedDatabaseUrl =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string };

/** A database that is asked in SQL. `url` may hold a password. */
export type SqlDatabaseUrl = EmbeddedDatabaseUrl | { readonly kind: "postgres"; readonly url: string };

/** A database that `module` opens. `url` may hold a password. */
export interface CustomDatabaseUrl {
  readonly kind: "custom";
  readonly module: string;
  readonly url: string;
}

/** `url` may hold a password. */
export type DatabaseUrl =
  | SqlDatabaseUrl
  | { readonly kind: "redis"; readonly url: string }
  | CustomDatabaseUrl;

const OURS = /^(?:memory|sqlite|postgres(?:ql)?|rediss?):/;

/** Whether it is within the process, and no other machine has part in it. */
export function isEmbedded(url: DatabaseUrl): url is EmbeddedDatabaseUrl {
  return url.kind === "memory" || url.kind === "sqlite";
}

/** `module`: `STORE_MODULE`, which opens what has another scheme than ours. */
export function databaseUrl(text: string, module?: string): DatabaseUrl {
  if (module !== undefined && !OURS.test(text) && /^[a-z][\w+.-]*:/i.test(text))
    return { kind: "custom", module, url: text };
  if (/^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)) return { kind: "redis", url: text };
  const sql = readSql(text);
  if (sql !== null) return sql;
  throw new BadValue(
    "must be memory:, sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or redis://USER:PASSWORD@HOST:PORT; another scheme needs STORE_MODULE",
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

/** What other programs read as something else, and here would be part of the file's name or of another path. */
const NO_PLAIN_PATH = /^(?:\/\/|[~$"':\s]|file:)|[?#\0]/;

function readEmbedded(text: string): EmbeddedDatabaseUrl | null {
  if (text === "memory:") return { kind: "memory" };
  const path = text.startsWith("sqlite:") ? text.slice("sqlite:".length) : "";
  if (NO_PLAIN_PATH.test(path)) {
    throw new BadValue(
      "must name a file by its plain path, such as sqlite:data/sessions.db or sqlite:/var/lib/sessions.db: without // or ~ in front, and without ? or #",
    );
  }
  return path === "" ? null : { kind: "sqlite", path };
}
