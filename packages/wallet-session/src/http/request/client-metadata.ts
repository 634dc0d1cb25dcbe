import Bowser from "bowser";
import { USER_AGENT_MAX_CHARS } from "../../limits.ts";
import type { ClientMetadata } from "../../store.ts";
import { parseIp, truncatedIp } from "./ip-address.ts";

const NAME_MAX_CHARS = 40;

/** Enough for a person to recognise a device later, and no more: names, major versions, a truncated address. */
export function clientMetadata(request: Request, address: string | null): ClientMetadata {
  const userAgent = request.headers.get("user-agent")?.slice(0, USER_AGENT_MAX_CHARS);
  const ip = address === null ? null : parseIp(address);
  return { ...describe(userAgent), ip: ip === null ? null : truncatedIp(ip) };
}

function describe(userAgent: string | undefined): Omit<ClientMetadata, "ip"> {
  if (!userAgent) return { browser: null, os: null, device: null };
  const { browser, os, platform } = Bowser.parse(userAgent);
  return {
    browser: label(browser.name, browser.version),
    // macOS and Windows freeze the number in the user agent: it would be wrong for every device of today.
    os: label(os.name, os.name === "macOS" || os.name === "Windows" ? undefined : os.version),
    device: label(platform.model ?? platform.type, undefined),
  };
}

function label(name: string | undefined, version: string | undefined): string | null {
  if (!name) return null;
  const major = /^\d{1,4}(?=\.|$)/.exec(version ?? "")?.[0];
  const text = name.slice(0, NAME_MAX_CHARS);
  return major === undefined ? text : `${text} ${major}`;
}
