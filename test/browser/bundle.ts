import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { build as Build } from "vite";

/** A script for a page, by the bundler that the tests bring. */
export async function bundle(entry: URL): Promise<string> {
  const vite = await import(createRequire(import.meta.resolve("vitest")).resolve("vite"));
  const build: typeof Build = vite.build;
  const bundles = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { tsconfigPaths: true },
    define: { "process.env.NODE_ENV": '"development"' },
    build: {
      write: false,
      target: "es2022",
      lib: { entry: fileURLToPath(entry), formats: ["es"] },
    },
  });
  const [chunk] = [bundles].flat().flatMap((made) => ("output" in made ? made.output : []));
  if (chunk?.type !== "chunk") throw new Error("Nothing was bundled.");
  return chunk.code;
}
