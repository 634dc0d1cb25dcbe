import { readFileSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../test/temporary-directory.ts";
import { fileKey } from "./file-key.ts";

const newPath = temporaryDirectory();
const { subtle } = crypto;
const BY = { name: "ECDSA", hash: "SHA-256" };
const TEXT = new TextEncoder().encode("a text");

test("a key is there for the next program, for its owner alone, and the program cannot read it out", async () => {
  const path = newPath("keys/session.key");
  expect(await fileKey(path).load()).toBeNull();
  const made = await fileKey(path).create();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const kept = await fileKey(path).load();
  if (kept === null) throw new Error("no key was kept");
  const signature = await subtle.sign(BY, kept.privateKey, TEXT);
  expect(await subtle.verify(BY, made.publicKey, signature, TEXT)).toBe(true);
  for (const { privateKey } of [made, kept]) {
    await expect(subtle.exportKey("jwk", privateKey)).rejects.toThrow(/extractable/);
  }
});

test("a file that holds something else is a fault, which does not tell what it holds", async () => {
  const path = newPath("broken.key");
  await fileKey(path).create();
  const { d, ...open } = JSON.parse(readFileSync(path, "utf8"));
  for (const text of ["secret", "{}", JSON.stringify(open), JSON.stringify({ ...open, d: `${d}x` })]) {
    writeFileSync(path, text);
    await expect(fileKey(path).load()).rejects.toThrow(
      /^The file holds something else than a key of this client\.$/,
    );
  }
});
