import { loopbackPort } from "../cookie-names.ts";
import type { IntrospectionClient } from "../http/endpoints/introspect.ts";

/**
 * A setting's value that cannot be used. The message goes on after the setting's name: "must be a whole number". It never
 * repeats the value, which may be a secret.
 */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

// Readers of single settings. Each returns the value or throws BadValue.

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function duration(text: string): number {
  const match = /^([1-9]\d{0,6})([smhd])$/.exec(text);
  if (match === null) throw new BadValue("must be a duration such as 30s, 15m, 12h or 7d");
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** A whole number in decimal digits, from `least` to `most`, both included. @throws BadValue for any other text */
export function integer(text: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most))
    throw new BadValue(`must be a whole number from ${least} to ${most}`);
  return value;
}

export function oneOf<const T extends string>(text: string, values: readonly T[]): T {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new BadValue(`must be one of: ${values.join(", ")}`);
  return value;
}

/** An origin: scheme, host and port, nothing behind it. */
export function origin(text: string): URL {
  const url = httpUrl(text);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new BadValue("must be an origin such as https://pay.example.com, without a path");
  }
  return url;
}

/** An address to which paths are added. */
export function baseUrl(text: string): URL {
  const url = httpUrl(text);
  if (url.search !== "" || url.hash !== "") throw new BadValue("must be a URL without a query or a fragment");
  return url;
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new BadValue("must be an http or https URL");
  }
  return url;
}

/** What is sent as `Authorization: Bearer` (RFC 6750 §2.1), and long enough not to be guessed. */
export function bearerSecret(text: string): string {
  if (!/^[\w.~+/-]{16,}=*$/.test(text)) {
    throw new BadValue("must have 16 characters or more, of letters, digits and -._~+/=");
  }
  return text;
}

/** Where security events go: nobody on the way may read or change them. */
export function webhookUrl(text: string): URL {
  const url = httpUrl(text);
  if (url.protocol === "http:" && !isLoopback(url))
    throw new BadValue("must be https, but on this machine itself");
  if (url.hash !== "") throw new BadValue("must be a URL without a fragment");
  return url;
}

/** Of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. With several, comma-separated, each signs. */
export function webhookSecrets(text: string): string[] {
  const secrets = text.split(",").map((secret) => secret.trim());
  for (const secret of secrets) {
    const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1] ?? "";
    const { length } = Buffer.from(base64, "base64");
    if (length < 24 || length > 64) {
      throw new BadValue("must be whsec_ and 24 to 64 bytes in base64, or several of these, comma-separated");
    }
  }
  return secrets;
}

/** `id:secret`, comma-separated: who introspects tokens, and what it shows, long enough not to be guessed. */
export function introspectionClients(text: string): IntrospectionClient[] {
  return text.split(",").map((pair) => {
    const [, id, secret] = /^([!-9;-~]{1,64}):([ -~]{16,})$/.exec(pair.trim()) ?? [];
    if (id === undefined || secret === undefined) {
      throw new BadValue(
        "must be id:secret, the secret of 16 ASCII characters or more, or several of these, comma-separated",
      );
    }
    return { id, secret };
  });
}

/** SEP-10 writes the home domain and " auth" into the name of a data entry, which holds 64 bytes. */
const HOST_NAME_MAX_CHARS = 59;

export function hostName(text: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/i.test(text)) {
    throw new BadValue("must be a host name such as pay.example.com");
  }
  if (text.length > HOST_NAME_MAX_CHARS) {
    throw new BadValue(`must have at most ${HOST_NAME_MAX_CHARS} characters`);
  }
  return text;
}

export function isLoopback({ origin }: URL): boolean {
  return loopbackPort(origin) !== "";
}

/** A part of cookie names. */
export function cookieName(text: string): string {
  if (!/^[\w-]{1,32}$/.test(text))
    throw new BadValue("must have 1 to 32 characters, of letters, digits, - and _");
  return text;
}
