// What the browser's side weighs as a page ships it: bundled and minified by the bundler that the tests bring, compressed.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { build as Build } from "vite";
import { expect, test } from "vitest";

const KIB = 1_024;

const { build }: { build: typeof Build } = await import(
  createRequire(import.meta.resolve("vitest")).resolve("vite")
);

async function compressedBytes(entry: string): Promise<number> {
  const bundles = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: true,
      target: "es2022",
      lib: { entry: fileURLToPath(new URL(`../${entry}.ts`, import.meta.url)), formats: ["es"] },
      rolldownOptions: { external: ["react"] },
    },
  });
  const code = [bundles]
    .flat()
    .flatMap((bundle) => ("output" in bundle ? bundle.output : []))
    .map((chunk) => (chunk.type === "chunk" ? chunk.code : ""))
    .join("");
  return gzipSync(code, { level: 9 }).byteLength;
}

test.each([
  ["client", 6.5 * KIB],
  // With all that it shares with the client, which a page ships once.
  ["feed", 8 * KIB],
  ["react", 2 * KIB],
])("wallet-session/%s ships in less than %d bytes", async (entry, limit) => {
  const bytes = await compressedBytes(entry);
  console.log(`wallet-session/${entry}: ${bytes} bytes compressed`);
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(limit);
});
