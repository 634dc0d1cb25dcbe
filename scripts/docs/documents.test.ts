// What the documents say that can be checked without reading them.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { createSessionEngine, ERROR_CODES, SessionError } from "wallet-session";
import { createHandlers } from "wallet-session/http";
import { readConfig } from "wallet-session/server";
import { createMemoryStore } from "wallet-session/stores/memory";
import { createWalletKeypair } from "wallet-session/testing";
import { createStellarWallet, masterKeyOnly } from "wallet-session/wallets/stellar";
import { streamPay } from "../../app/lib/openapi.ts";
import { REFUSALS } from "../../app/lib/refusals.ts";
import { readAppSettings } from "../../app/lib/settings.ts";
import { contractOf } from "../../packages/wallet-session/test/contract.ts";
import { root } from "../setup/root.mjs";
import { anchors, document, documents, links, prose } from "./markdown.ts";

const { document: OPEN_API } = contractOf({ part: streamPay, hasMetrics: true, hasClients: true });

/** What the command line has beside the scripts of package.json. */
const NPM_BUILT_IN = ["install", "pack", "sbom"];

test("every link within the project leads somewhere", () => {
  const broken = documents().flatMap((source) =>
    links(source)
      .filter(({ target }) => !/^[a-z]+:/.test(target))
      .filter(({ target }) => !leadsSomewhere(source.path, target))
      .map(({ target }) => `${source.path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

function leadsSomewhere(from: string, target: string): boolean {
  const [file = "", fragment] = target.split("#");
  const path = file === "" ? from : normalize(join(dirname(from), file));
  if (path.startsWith("..") || !existsSync(join(root, path))) return false;
  return fragment === undefined || anchors(document(path)).includes(fragment);
}

test("the package's README stands by itself: it links to nothing outside the package", () => {
  const home = "packages/wallet-session";
  const outside = links(document(`${home}/README.md`)).filter(
    ({ target }) => !/^[a-z]+:/.test(target) && !normalize(join(home, target)).startsWith(`${home}/`),
  );
  expect(outside).toEqual([]);
});

test("every npm command that is named exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const known = [...Object.keys(scripts), ...NPM_BUILT_IN];
  const unknown = documents().flatMap(({ path, text }) =>
    [...text.matchAll(/(?:^|`|NODE_ENV=production )npm (?:run )?([a-z][\w:-]*)/gm)]
      .filter(([, name = ""]) => !known.includes(name))
      .map(([command]) => `${path}: ${command}`),
  );
  expect(unknown).toEqual([]);
});

test("every test that is named as showing something has that name", () => {
  const named = documents().flatMap(({ path, text }) =>
    links({ path, text }).flatMap(({ text: label, target }) => {
      const title = /^"(.*)"$/.exec(label)?.[1];
      return title === undefined || !target.endsWith(".ts") ? [] : [{ path, title, target }];
    }),
  );
  expect(named.length).toBeGreaterThan(0);
  const missing = named.filter(
    ({ path, title, target }) => !isNamed(readFileSync(join(root, dirname(path), target), "utf8"), title),
  );
  expect(missing).toEqual([]);
});

/** Whether a test has that title, or, where "…" ends it, exactly one has a title that begins so. */
function isNamed(source: string, title: string): boolean {
  const isBeginning = title.endsWith("…");
  const text = isBeginning ? title.slice(0, -1) : title;
  const quoted = ['"', "`"].map((quote) => `${quote}${text}${isBeginning ? "" : quote}`);
  const times = quoted.reduce((sum, part) => sum + source.split(part).length - 1, 0);
  return isBeginning ? times === 1 : times > 0;
}

test("docs/api.md has each error code with the status that it is answered with", () => {
  const keys = createWalletKeypair();
  const engine = createSessionEngine({
    store: createMemoryStore(),
    secrets: ["a secret of this test that is long enough"],
    issuer: "https://pay.example.com",
  });
  const wallet = createStellarWallet({
    signingSeed: keys.seed,
    networkPassphrase: "Test SDF Network ; September 2015",
    homeDomain: "pay.example.com",
    webAuthEndpoint: "https://pay.example.com/api/auth/wallet",
    accountSigners: masterKeyOnly,
  });
  const { problem } = createHandlers({ engine, wallet, publicUrl: new URL("https://pay.example.com") });
  const answered = [
    ...ERROR_CODES.map((code) => `| ${problem(new SessionError(code, "")).status} | \`${code}\` |`),
    ...Object.entries(REFUSALS).map(([code, { status }]) => `| ${status} | \`${code}\` |`),
  ];
  const rows = [...document("docs/api.md").text.matchAll(/^(\| \d{3} \| `\w+` \|)/gm)].map(([, row]) => row);
  expect(rows.sort()).toEqual(answered.sort());
});

test("docs/api.md has each endpoint of the OpenAPI document, and no other", () => {
  const written = new Set<string>();
  for (const [line] of document("docs/api.md").text.matchAll(/^(?:###|-) `(?:GET|POST|DELETE) .*$/gm)) {
    // In "`POST /a/start`, `/pause`" the second is the first with another end.
    let first = "";
    for (const [, method, path = ""] of line.matchAll(/`(?:(GET|POST|DELETE) )?(\/[^`?]*)/g)) {
      if (method !== undefined) first = `${method} ${path}`;
      written.add(method === undefined ? first.replace(/\/\w+$/, path) : first);
    }
  }
  const described = Object.entries(OPEN_API.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...written].sort()).toEqual(described.sort());
});

test("docs/api.md has each error code of the OpenAPI document, and no other", () => {
  const examples = Object.values(OPEN_API.paths)
    .flatMap((methods) => Object.values(methods).flatMap(({ responses }) => Object.values(responses)))
    .flatMap(({ content = {} }) =>
      Object.values(content).flatMap((media) => Object.keys(media.examples ?? {})),
    );
  const rows = [...document("docs/api.md").text.matchAll(/^\| \d{3} \| `(\w+)` \|/gm)].map(
    ([, code]) => code,
  );
  // The answer to a method that an endpoint does not have is part of no operation.
  expect(new Set(rows)).toEqual(new Set([...examples, "method_not_allowed"]));
});

test("docs/configuration.md has each setting that is read, and no other", () => {
  const read = new Set<string>();
  const env = new Proxy<Record<string, string>>(
    {},
    {
      get(_, name) {
        // Each may have the prefix.
        read.add(String(name).replace(/^WALLET_SESSION_(?!MODE$)/, ""));
        return undefined;
      },
    },
  );
  readConfig(env, {
    read: (name) => (name === "auth-secret" ? "x".repeat(32) : createWalletKeypair().seed),
  });
  readAppSettings(env);
  const table = [...prose(document("docs/configuration.md")).matchAll(/^\| (`[A-Z_`, ]+`) \|/gm)];
  const written = table.flatMap(([, names = ""]) => [...names.matchAll(/[A-Z_]+/g)].map(String));
  expect(written.sort()).toEqual([...read].sort());
});

test("docs/decisions/README.md has each decision by its title, in order", () => {
  const titles = documents()
    .filter(({ path }) => /^docs\/decisions\/\d/.test(path))
    .map(({ path, text }) => {
      const [, number = "", title = ""] = /^# (\d{4}) (.*)$/m.exec(text) ?? [];
      return `| [${number}](${path.slice("docs/decisions/".length)}) | ${title}`;
    });
  const rows = document("docs/decisions/README.md").text.match(/^\| \[\d{4}\].*$/gm) ?? [];
  expect(rows.map((row) => row.replace(/(?: \(replaced [^)]*\))? \|$/, ""))).toEqual(titles);
});
