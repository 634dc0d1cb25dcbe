import { DATABASE_URL_DEFAULT, type SqlDatabaseUrl, sqlDatabaseUrl } from "wallet-session/internal/databases";
import { BadValue, integer, Settings } from "wallet-session/kit";
import { parseAmount, type Stroops } from "./streams/money.ts";

/** The app's own settings, checked; those of the sessions are `Config`. */
export interface AppSettings {
  readonly streamsDatabaseUrl: SqlDatabaseUrl;
  /** `DATABASE_MIGRATE`, which `readConfig` checks. */
  readonly mayMigrate: boolean;
  /** The pace of long operations. */
  readonly settlementsPerSecond: number;
  /** A withdrawal of more needs the wallet's signature; null: none does. */
  readonly payoutSignedAbove: Stroops | null;
}

/** Where the sessions are in what is asked no SQL. */
const STREAMS_DATABASE_URL_ELSE = "sqlite:./data/streams.db";

const APP_BASE_PATH = "/api/auth";

const SETTLEMENTS_PER_SECOND = { least: 1, most: 1_000 } as const;

/**
 * Reads the app's own settings. The streams stand beside the sessions where no other place is given and
 * those are in an SQL database, else in a file of their own.
 * @throws ConfigError naming every setting that is bad; a bad `DATABASE_URL` is for `readConfig` to name
 */
export function readAppSettings(env: Readonly<Record<string, string | undefined>>): AppSettings {
  const settings = new Settings(env);
  // The folder app/api/auth says where they are; in an app of Next no setting can.
  if ((settings.optional("AUTH_BASE_PATH") ?? APP_BASE_PATH) !== APP_BASE_PATH)
    settings.complain(`AUTH_BASE_PATH must be ${APP_BASE_PATH} in this app, or be left out`);
  return settings.complete({
    streamsDatabaseUrl: settings.read("STREAMS_DATABASE_URL", besideTheSessions(env), sqlDatabaseUrl),
    mayMigrate: settings.optional("DATABASE_MIGRATE") !== "off",
    settlementsPerSecond: settings.read("SETTLEMENTS_PER_SECOND", 100, (text) =>
      integer(text, SETTLEMENTS_PER_SECOND.least, SETTLEMENTS_PER_SECOND.most),
    ),
    payoutSignedAbove: settings.read("PAYOUT_SIGNED_ABOVE", "none", amountOrNone),
  });
}

function amountOrNone(text: string): Stroops | null {
  if (text === "none") return null;
  const amount = parseAmount(text);
  if (amount === null) throw new BadValue("must be an amount such as 500, or none");
  return amount;
}

function besideTheSessions(env: Readonly<Record<string, string | undefined>>): SqlDatabaseUrl {
  try {
    return sqlDatabaseUrl(new Settings(env).optional("DATABASE_URL") ?? DATABASE_URL_DEFAULT);
  } catch {
    return sqlDatabaseUrl(STREAMS_DATABASE_URL_ELSE);
  }
}
