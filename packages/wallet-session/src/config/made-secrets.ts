import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, name);
      try {
        writeFileSync(path, `${make()}\n`, { flag: "wx", mode: 0o600 });
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
      return readFileSync(path, "utf8").trim();
    },
  };
}

/** 48 random bytes in base64url: 64 characters. */
export function makeAuthSecret(): string {
  return randomBytes(48).toString("base64url");
}
