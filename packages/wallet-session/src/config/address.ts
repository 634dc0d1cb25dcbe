import { AUTH_BASE_PATH, authPaths } from "../auth-paths.ts";
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
  const byPort = `http://localhost:${port ?? 3000}`;
  const given = production
    ? settings.required("PUBLIC_URL", "in production")
    : (settings.optional("PUBLIC_URL") ?? byPort);
  const publicUrl = settings.check("PUBLIC_URL", given, (text) => {
    const url = origin(text);
    if (production && url.protocol === "http:" && !isLoopback(url)) {
      throw new BadValue("must be https in production: browsers keep Secure cookies from plain http");
    }
    return url;
  });
  const byDefault = publicUrl === undefined ? "ws" : defaultCookieName(publicUrl.origin);
  return {
    production,
    port,
    publicUrl,
    trustedOrigins: settings.read<string[]>("TRUSTED_ORIGINS", [], (text) =>
      text.split(",").map((part) => originOfSite(part.trim(), publicUrl)),
    ),
    authBasePath: settings.read("AUTH_BASE_PATH", AUTH_BASE_PATH, readBasePath),
    cookieName: settings.read("COOKIE_NAME", byDefault, cookieName),
  };
}

/** The same of an environment, for code that runs apart from the service. @throws ConfigError */
export function addressOf(env: Readonly<Record<string, string | undefined>>) {
  const settings = new Settings(env);
  return settings.complete(readAddress(settings));
}

/** Of another site it would be of no use: browsers send its pages' requests without our cookies. */
function originOfSite(text: string, publicUrl: URL | undefined): string {
  const url = origin(text);
  if (url.hostname.includes("*")) throw new BadValue("must name each origin in full");
  if (publicUrl !== undefined && siteOf(url) !== siteOf(publicUrl)) {
    throw new BadValue(
      "must be origins of the site of PUBLIC_URL, such as https://app.example.com, comma-separated",
    );
  }
  return url.origin;
}

/** Roughly: of names like `example.co.uk` it takes too many for one site. */
function siteOf({ protocol, hostname }: URL): string {
  return `${protocol}//${hostname.split(".").slice(-2).join(".")}`;
}

function readBasePath(text: string): string {
  try {
    return authPaths(text).base;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BadValue(error.message);
  }
}
