import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Program } from "./app-server.ts";
import type { Consumer } from "./consumer.ts";

/** Every app has one. */
const LAYOUT = `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}`;

/** Builds what `init` has written there, with files of its reader's own by path, and says how it is started. */
export function buildExampleNext(
  cwd: string,
  consumer: Consumer,
  own: Readonly<Record<string, string>>,
): Program {
  for (const [path, source] of Object.entries({ "app/layout.tsx": LAYOUT, ...own })) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), source);
  }
  const bin = join(consumer.project, "node_modules", "next", "dist", "bin", "next");
  // The bundler follows a link out of the project only below this root; nobody else's node_modules is made of links.
  const config = { turbopack: { root: "/" } };
  writeFileSync(join(cwd, "next.config.mjs"), `export default ${JSON.stringify(config)};`);
  const env = { ...process.env, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1" };
  execFileSync(process.execPath, [bin, "build"], { cwd, env, stdio: "pipe" });
  const args = [bin, "start", "--hostname", "127.0.0.1"];
  return { command: process.execPath, args, cwd, settings: { HORIZON_URL: "none" }, readyPath: "/sign-in" };
}
