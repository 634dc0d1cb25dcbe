import { defaultCookieName } from "../cookie-names.ts";
import { Settings } from "./settings.ts";
import { BadValue, cookieName, integer, isLoopback, oneOf, origin } from "./values.ts";

const MODES = ["production", "development"] as const;

/** The settings that say where browsers find the service, and under which name it keeps its cookies there. */
export function readAddress(settings: Settings) {
  // WALLET_SESSION_MODE: a framework may set NODE_ENV by itself, whatever the operator meant.
  const byFramework = settings.optional("NODE_ENV") === "production" ? "production" : "development";
  const mode = settings.read("WALLET_SESSION_MODE", byFramework, (text) => oneOf(text, MODES));
  const production = mode === "production";
  const port = settings.read("PORT", "3000", (text) => integer(text, 1, 65_535));
  const publicUrl = settings.read("PUBLIC_URL", `http://localhost:${port ?? 3000}`, (text) => {
    const url = origin(text);
    if (production && url.protocol === "http:" && !isLoopback(url)) {
      throw new BadValue("must be https in production: browsers keep Secure cookies from plain http");
    }
    return url;
  });
  const byDefault = publicUrl === undefined ? "ws" : defaultCookieName(publicUrl.origin);
  return { production, port, publicUrl, cookieName: settings.read("COOKIE_NAME", byDefault, cookieName) };
}

/** `COOKIE_NAME` alone, for code that runs apart from the service. @throws ConfigError */
export function cookieNameOf(env: Readonly<Record<string, string | undefined>>): string {
  const settings = new Settings(env);
  return settings.complete(readAddress(settings)).cookieName;
}
