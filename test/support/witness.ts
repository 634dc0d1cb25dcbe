import { existsSync, readFileSync } from "node:fs";
import { StrKey } from "@stellar/stellar-sdk";
import type { AppServer } from "./app-server.ts";
import { RETRY_COOKIE } from "./cookies.ts";

const ACCESS_TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]{86}/g;
const REFRESH_TOKEN = /wsr1_[\w-]{96}|wsd1_[\w-]{144}/g;
const RETRY_KEY_HEADER = "idempotency-key";
/** What is shorter is refused, and too short to be told from chance. */
const RETRY_KEY_MIN_CHARS = 16;
const RETRY_KEY_COOKIE = new RegExp(`${RETRY_COOKIE}=([^;]+)`, "g");
/** Where the secret lies in a refresh token: behind key id, session id and generation, before the MAC. */
const SECRET_BYTES: [from: number, to: number] = [24, 56];

/** Settings that are secrets, or lists of them. */
const SECRET_SETTINGS = [
  "AUTH_SECRET",
  "STELLAR_SIGNING_SEED",
  "METRICS_TOKEN",
  "INTROSPECTION_CLIENTS",
  "SECURITY_WEBHOOK_SECRET",
];

interface SeenAnswer {
  readonly status: number;
  readonly setCookies: readonly string[];
  readonly text: string;
}

/** Remembers every secret that goes over the wire, and every body in which none may be. */
export interface Witness {
  see(requestHeaders: Readonly<Record<string, string>>, answer: SeenAnswer): void;
  /** Remembers a secret that it did not see. */
  add(secret: string): void;
  /** The secrets seen so far. */
  readonly secrets: ReadonlySet<string>;
  /** The bodies of all answers that are not a success. */
  readonly errors: readonly string[];
}

export function createWitness(): Witness {
  const secrets = new Set<string>();
  const errors: string[] = [];
  return {
    secrets,
    errors,
    add: (secret) => secrets.add(secret),
    see(requestHeaders, { status, setCookies, text }) {
      for (const [name, value] of Object.entries(requestHeaders)) {
        if (name.toLowerCase() === RETRY_KEY_HEADER && value.length >= RETRY_KEY_MIN_CHARS) {
          secrets.add(value.replaceAll('"', ""));
        }
        if (name.toLowerCase() !== "cookie") continue;
        for (const [, key = ""] of value.matchAll(RETRY_KEY_COOKIE)) secrets.add(key);
      }
      const issued = [text, ...setCookies].join("\n");
      if (status >= 400) errors.push(issued);
      else for (const [token] of issued.matchAll(ACCESS_TOKEN)) secrets.add(token);
      if (status < 400) for (const [token] of issued.matchAll(REFRESH_TOKEN)) secrets.add(token);
    },
  };
}

/**
 * Where any secret of the run comes to light that should not: the server's output, the bodies of its refusals, the files
 * of its database. Each is looked for as it was sent, and what it is made of raw, in hexadecimal and in base64.
 */
export function leaks(server: AppServer, { secrets, errors }: Witness, output = server.output()): string[] {
  const places = new Map<string, Buffer>([
    ["output", Buffer.from(output)],
    ["errors", Buffer.from(errors.join("\n"))],
  ]);
  for (const suffix of ["", "-wal", "-shm"]) {
    const path = server.databasePath + suffix;
    if (existsSync(path)) places.set(`database${suffix}`, readFileSync(path));
  }
  const settings = SECRET_SETTINGS.flatMap((name) => server.settings[name]?.split(",") ?? []).map(
    // Of a client, behind its id.
    (listed) => listed.slice(listed.indexOf(":") + 1),
  );
  return [...secrets, ...settings].flatMap((secret) =>
    [...places].flatMap(([place, content]) =>
      formsOf(secret)
        .filter(([, form]) => content.includes(form))
        .map(([name]) => `${secret.slice(0, 12)}… ${name} in ${place}`),
    ),
  );
}

/** All that a secret might be written as. */
function formsOf(secret: string): [name: string, form: Buffer][] {
  const text: [string, Buffer] = ["as it is", Buffer.from(secret)];
  const bytes = secret.match(/^wsr1_/)
    ? Buffer.from(secret.slice("wsr1_".length), "base64url").subarray(...SECRET_BYTES)
    : StrKey.isValidEd25519SecretSeed(secret)
      ? Buffer.from(StrKey.decodeEd25519SecretSeed(secret))
      : Buffer.from(secret);
  const hex = bytes.toString("hex");
  return [
    text,
    ["raw", bytes],
    ["in hexadecimal", Buffer.from(hex)],
    ["in upper-case hexadecimal", Buffer.from(hex.toUpperCase())],
    ["in base64", Buffer.from(bytes.toString("base64").replace(/=+$/, ""))],
    ["in base64url", Buffer.from(bytes.toString("base64url"))],
  ];
}
