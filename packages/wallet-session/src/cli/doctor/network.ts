import { authPaths } from "../../auth-paths.ts";
import type { Config } from "../../config/config.ts";
import { isError } from "../../foreign-errors.ts";
import { CLOCK_TOLERANCE_MS, DOCTOR_FETCH_TIMEOUT_MS } from "../../limits.ts";
import { describeFault } from "../../logging/event-log.ts";
import { keypairFromSeed } from "../../wallets/stellar/ed25519.ts";
import { type Finding, fail, ok, warn } from "./check.ts";

/** What the Date header says is not exact beyond it. */
const CLOCK_RESOLUTION_MS = 1_000;

/** An answer, and by how much its clock is ahead of ours; null where it does not say. */
interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
  readonly aheadMs: number | null;
}

/** What other machines say: Horizon, the service itself by its public address, and their clocks. */
export async function networkFindings(config: Config): Promise<Finding[]> {
  const [horizon, own] = await Promise.all([
    askHorizon(config),
    ask(new URL("/api/healthz", config.publicUrl)),
  ]);
  return [
    horizonFinding(config, horizon),
    publicFinding(config, own),
    await stellarTomlFinding(config),
    clockFinding([horizon, own]),
  ];
}

async function ask(url: URL): Promise<Answer | string> {
  const sentAt = Date.now();
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOCTOR_FETCH_TIMEOUT_MS) });
    const date = Date.parse(response.headers.get("date") ?? "");
    // The header has whole seconds: half of one more is as likely as half of one less.
    const aheadMs = Number.isNaN(date) ? null : date + 500 - (sentAt + Date.now()) / 2;
    return { ok: response.ok, status: response.status, text: await response.text(), aheadMs };
  } catch (error) {
    // The cause says what "fetch failed" does not.
    return describeFault(isError(error) && error.cause !== undefined ? error.cause : error);
  }
}

function refusalOf(answer: Answer | string): string {
  return typeof answer === "string" ? answer : `it answers ${answer.status}`;
}

async function askHorizon({ horizonUrl }: Config): Promise<Answer | string | null> {
  return horizonUrl === null ? null : ask(horizonUrl);
}

function horizonFinding(config: Config, answer: Answer | string | null): Finding {
  const { horizonUrl, production, stellarNetworkPassphrase } = config;
  if (answer === null) {
    const detail = "no HORIZON_URL: an account signs in by its master key alone";
    const advice =
      "Name a Horizon server, or accounts with other signers cannot use them, nor lock out a lost master key.";
    return production ? warn("horizon", detail, advice) : ok("horizon", detail);
  }
  if (typeof answer === "string" || !answer.ok) {
    return fail(
      "horizon",
      `${horizonUrl?.href} does not answer: ${refusalOf(answer)}`,
      "Until it does, sign-in is answered 503; refreshes go on.",
    );
  }
  const [, passphrase] = /"network_passphrase"\s*:\s*"([^"]*)"/.exec(answer.text) ?? [];
  if (passphrase === stellarNetworkPassphrase) return ok("horizon", `answers, for "${passphrase}"`);
  return fail(
    "horizon",
    passphrase === undefined
      ? "answers, but not as a Horizon does"
      : `is of another network: "${passphrase}"`,
    "HORIZON_URL and STELLAR_NETWORK_PASSPHRASE must be of one network.",
  );
}

function publicFinding({ publicUrl }: Config, answer: Answer | string): Finding {
  if (typeof answer !== "string" && answer.ok && answer.text.includes('"alive"')) {
    return ok("public url", `${publicUrl.origin} leads to a server`);
  }
  const why = typeof answer === "string" ? answer : `/api/healthz answers ${answer.status}`;
  return warn(
    "public url",
    `no server at ${publicUrl.origin}: ${why}`,
    "Start one; then PUBLIC_URL must be where browsers reach it, through all proxies.",
  );
}

/** Wallets ask the home domain whose signature to expect, and where to sign in (SEP-1, SEP-10). */
async function stellarTomlFinding({
  publicUrl,
  authBasePath,
  homeDomain,
  stellarSigningSeed,
}: Config): Promise<Finding> {
  const isOwn = homeDomain === publicUrl.host;
  const url = new URL("/.well-known/stellar.toml", isOwn ? publicUrl : `https://${homeDomain}`);
  const answer = await ask(url);
  if (typeof answer === "string" || !answer.ok) {
    const advice = isOwn
      ? "A server serves it by itself: start one."
      : `Wallets look there: serve there what ${publicUrl.origin}/.well-known/stellar.toml says, or leave HOME_DOMAIN out.`;
    return warn("stellar.toml", `${url.href}: ${refusalOf(answer)}`, advice);
  }
  const expected = {
    SIGNING_KEY: keypairFromSeed(stellarSigningSeed).account,
    WEB_AUTH_ENDPOINT: publicUrl.origin + authPaths(authBasePath).wallet,
  };
  for (const [name, value] of Object.entries(expected)) {
    const [, found] = new RegExp(`^${name}\\s*=\\s*"([^"]*)"`, "m").exec(answer.text) ?? [];
    if (found === value) continue;
    return fail(
      "stellar.toml",
      `${url.href} has ${found === undefined ? `no ${name}` : `${name}="${found}"`}`,
      `These settings make it ${name}="${value}": wallets refuse challenges that do not fit.`,
    );
  }
  return ok("stellar.toml", `${url.href} names this service and its key`);
}

function clockFinding(answers: readonly (Answer | string | null)[]): Finding {
  const ahead = answers.flatMap((answer) =>
    answer === null || typeof answer === "string" || answer.aheadMs === null ? [] : [answer.aheadMs],
  );
  const [most] = ahead.toSorted((a, b) => Math.abs(b) - Math.abs(a));
  const advice = "Synchronise the clocks (NTP). They may be 5 s apart.";
  if (most === undefined) return warn("clock", "no other clock was there to compare with", advice);
  if (Math.abs(most) < CLOCK_RESOLUTION_MS) return ok("clock", "within a second of what answered");
  const seconds = Math.abs(most / 1_000).toFixed(1);
  const detail = `${seconds} s ${most > 0 ? "behind" : "ahead of"} what answered`;
  if (Math.abs(most) > CLOCK_TOLERANCE_MS) return fail("clock", detail, advice);
  return Math.abs(most) > CLOCK_TOLERANCE_MS / 2 ? warn("clock", detail, advice) : ok("clock", detail);
}
