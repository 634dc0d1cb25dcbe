import { type Config, readConfig } from "../../config/config.ts";
import { keptSecret } from "../../config/made-secrets.ts";
import { ConfigError } from "../../config/settings.ts";
import { isLoopback } from "../../config/values.ts";
import type { Terminal } from "../terminal.ts";
import { type Finding, fail, ok, warn } from "./check.ts";

/** The settings, and what they are like. Null: they cannot be used, and the findings say why. */
export function settingsFindings({ env }: Terminal): { config: Config | null; findings: Finding[] } {
  const made: string[] = [];
  const source = {
    read(name: string, make: () => string) {
      const kept = keptSecret("data", name);
      if (kept === null) made.push(name);
      return kept ?? make();
    },
  };
  try {
    const config = readConfig(env, source);
    const findings = [describe(config, made), cookies(config), proxies(config), ...limits(config)];
    return { config, findings };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice = "docs/configuration.md has all settings.";
    return { config: null, findings: error.problems.map((problem) => fail("settings", problem, advice)) };
  }
}

function describe({ production, databaseUrl, publicUrl }: Config, made: readonly string[]): Finding {
  const mode = production ? "production" : "development";
  const detail = `${mode}, ${publicUrl.origin}, sessions in ${databaseUrl.kind}`;
  if (made.length === 0) return ok("settings", detail);
  return warn(
    "settings",
    `${detail}; no ${made.join(" and no ")} yet`,
    "The first server that starts here makes them in data/. Production, and a database that servers share, want AUTH_SECRET and STELLAR_SIGNING_SEED.",
  );
}

function cookies({ publicUrl }: Config): Finding {
  if (publicUrl.protocol === "https:") return ok("cookies", "PUBLIC_URL is https");
  if (isLoopback(publicUrl)) {
    return ok(
      "cookies",
      `${publicUrl.origin}: most browsers keep Secure cookies from this machine itself, Safari does not`,
    );
  }
  return fail(
    "cookies",
    `${publicUrl.origin} is plain http: browsers refuse Secure cookies from it`,
    "Serve it by https, and set PUBLIC_URL to that.",
  );
}

function proxies({ publicUrl, trustedProxies }: Config): Finding {
  const https = publicUrl.protocol === "https:";
  if (https && trustedProxies === 0) {
    return warn(
      "proxies",
      "PUBLIC_URL is https, so a proxy is in front, and TRUSTED_PROXIES is 0: all clients seem to be that proxy, with one rate limit for all",
      "Set TRUSTED_PROXIES to the number of proxies that append to X-Forwarded-For: mostly 1.",
    );
  }
  if (!https && trustedProxies > 0) {
    return warn(
      "proxies",
      `TRUSTED_PROXIES is ${trustedProxies}, and PUBLIC_URL names this machine itself: a client can write X-Forwarded-For and be whom it likes`,
      "Set TRUSTED_PROXIES to 0 where no proxy is in front.",
    );
  }
  return ok("proxies", `TRUSTED_PROXIES is ${trustedProxies}`);
}

function limits({ rateLimit, production }: Config): Finding[] {
  if (rateLimit || !production) return [];
  return [warn("rate limits", "RATE_LIMIT is off", "Leave it out: off is for load tests.")];
}
