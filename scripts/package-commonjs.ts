// Part of packing: builds the package's entries as CommonJS too, for Jest, which loads no ES modules. What they share stays
// shared, and the dependencies that are ES modules alone are built in. Node takes the ES modules, also by `require`.
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";
import manifest from "../packages/wallet-session/package.json" with { type: "json" };
import { root } from "./setup/root.mjs";

const home = join(root, "packages", "wallet-session");
/** Dependencies that come as CommonJS as well. */
const SHARED = ["@stellar/js-xdr", "bowser", "pino"];

const input: Record<string, string> = {};
for (const entry of Object.values(manifest.exports)) {
  if (typeof entry === "object" && "require" in entry) {
    input[entry.require.default.replace(/^\.\/dist\/(.*)\.cjs$/, "$1")] = join(home, entry.default);
  }
}
const bundle = await rolldown({
  input,
  platform: "node",
  // Comments would name modules by their path on this machine, and so would the names of chunks.
  experimental: { attachDebugInfo: "none" },
  external: [/^node:/, ...[...SHARED, ...Object.keys(manifest.peerDependencies)].map(nameAndBelow)],
  // "use client" means nothing to Jest.
  onLog: (level, log, handle) => void (log.code === "MODULE_LEVEL_DIRECTIVE" || handle(level, log)),
});
await bundle.write({
  dir: join(home, "dist"),
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "commonjs/[name]-[hash].cjs",
  // Under Jest `import()` fails as the rest of ES modules does.
  dynamicImportInCjs: false,
});
for (const path of globSync("dist/**/*.d.ts", { cwd: home, exclude: ["dist/cli/**"] })) {
  const types = readFileSync(join(home, path), "utf8").replaceAll(
    /((?:from|import\() ?"\.[^"]*)\.js"/g,
    '$1.cjs"',
  );
  writeFileSync(join(home, path.replace(/\.ts$/, ".cts")), types);
}

function nameAndBelow(name: string): RegExp {
  return new RegExp(`^${name}(?:/|$)`);
}
