// Part of packing: puts the pages about the package into it, as packages/wallet-session/docs. Links to what it does not bring
// become plain words.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup/root.mjs";

const PAGES = [
  "api",
  "cli",
  "clients",
  "configuration",
  "conformity",
  "dpop",
  "from-better-auth",
  "from-iron-session",
  "glossary",
  "hooks",
  "next",
  "node",
  "oauth-clients",
  "observability",
  "operations",
  "other-origin",
  "protocol",
  "resource-servers",
  "security",
  "stores",
  "threat-model",
].map((name) => `${name}.md`);
const HOME = "../packages/wallet-session/";

const target = join(root, "packages", "wallet-session", "docs");
rmSync(target, { recursive: true, force: true });
mkdirSync(target);
for (const page of PAGES) {
  const text = readFileSync(join(root, "docs", page), "utf8");
  writeFileSync(join(target, page), text.replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, packedLink));
}

function packedLink(link: string, label: string, address: string): string {
  const [file = ""] = address.split("#");
  const stays = file === "" || PAGES.includes(file) || /^[a-z]+:/.test(file);
  if (stays) return link;
  const ours = file.startsWith(HOME) && !/\.(?:test|fixture)\.ts$/.test(file);
  return ours ? `[${label}](${address.replace(HOME, "../")})` : label;
}
