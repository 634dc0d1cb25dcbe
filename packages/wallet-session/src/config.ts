export { type Config, readConfig } from "./config/config.ts";
export { madeSecrets, type SecretSource } from "./config/made-secrets.ts";
export { ConfigError, Settings } from "./config/settings.ts";
export {
  DATABASE_URL_DEFAULT,
  type DatabaseUrl,
  databaseUrl,
  type EmbeddedDatabaseUrl,
  integer,
  type SqlDatabaseUrl,
  sqlDatabaseUrl,
} from "./config/values.ts";
