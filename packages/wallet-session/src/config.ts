export { type Config, ConfigError, type DatabaseUrl, readConfig } from "./config/config.ts";
export { madeSecrets, type SecretSource } from "./config/made-secrets.ts";
