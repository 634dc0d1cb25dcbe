// Loads the entries given as Jest does: as CommonJS, in a realm of its own, whose `Error` is not Node's. Then starts sessions
// with made secrets there, and prints what it has seen.
const { readFileSync } = require("node:fs");
const { createRequire, wrap } = require("node:module");
const { dirname, join } = require("node:path");
const vm = require("node:vm");

const [entries] = process.argv.slice(2).map((json) => JSON.parse(json));

const realm = vm.createContext({});
const own = new Set(vm.runInContext("Object.getOwnPropertyNames(globalThis)", realm));
for (const name of Object.getOwnPropertyNames(globalThis)) if (!own.has(name)) realm[name] = globalThis[name];
Object.assign(realm, { ArrayBuffer, Uint8Array });

const loaded = new Map();
function load(path) {
  if (loaded.has(path)) return loaded.get(path).exports;
  const module = { exports: {} };
  loaded.set(path, module);
  const beside = createRequire(path);
  const requireThere = (name) => (name.startsWith(".") ? load(join(dirname(path), name)) : beside(name));
  const run = vm.runInContext(wrap(readFileSync(path, "utf8")), realm, {
    filename: path,
    importModuleDynamically: () => Promise.reject(new Error("no ES modules here")),
  });
  run(module.exports, requireThere, module, path, dirname(path));
  return module.exports;
}

async function main() {
  for (const path of Object.values(entries)) load(path);
  const { createSessions } = load(entries["./server"]);
  const sessions = createSessions({ env: { LOG_LEVEL: "silent", METRICS_TOKEN: "a-token-of-the-metrics" } });
  await sessions.start();
  const refused = await sessions.engine.authenticate("nonsense").catch((error) => error);
  await sessions.close();
  const { SessionError } = load(entries["."]);
  console.log(JSON.stringify({ loaded: Object.keys(entries), refused: refused instanceof SessionError }));
}

main();
