import { randomBytes, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "../foreign-errors.ts";

/** Where a secret comes from that the settings do not give: made once, then kept. */
export interface SecretSource {
  read(name: string, make: () => string): string;
}

/**
 * Secrets kept as files that only their owner may read, for development. Two processes that start at the same moment end
 * up with one and the same secret.
 */
export function madeSecrets(directory: string): SecretSource {
  return {
    read(name, make) {
      const path = join(directory, name);
      return readSecret(path) ?? keep(path, make()) ?? readFileSync(path, "utf8").trim();
    },
  };
}

/** The same, but makes nothing. Null: there is none. */
export function keptSecret(directory: string, name: string): string | null {
  return readSecret(join(directory, name));
}

function readSecret(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/**
 * The secret, now on disk, or null where another process has put its own there first. Under its name the file is whole from
 * its first moment on: nobody reads a secret that is being written, and a crash leaves no empty one behind.
 */
function keep(path: string, secret: string): string | null {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${secret}\n`, { flag: "wx", mode: 0o600, flush: true });
    linkSync(draft, path);
    return secret;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return null;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** 48 random bytes in base64url: 64 characters. */
export function makeAuthSecret(): string {
  return randomBytes(48).toString("base64url");
}
