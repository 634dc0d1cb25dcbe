import { createRequire } from "node:module";
import { join } from "node:path";
import type { CustomDatabaseUrl } from "../databases/url.ts";
import { describeFault } from "../logging/event-log.ts";
import type { SessionStore } from "../store.ts";
import { UnfitStore } from "../stores/unfit-store.ts";

/** Opens a store by the module that `STORE_MODULE` names, by its `openStore(url)`. @throws UnfitStore */
export function openCustomStore({ module, url }: CustomDatabaseUrl): SessionStore {
  const { openStore } = load(module);
  if (openStore === undefined) {
    throw new UnfitStore(`STORE_MODULE ${module} has no export openStore(url).`);
  }
  return openStore(url);
}

function load(module: string): { readonly openStore?: (url: string) => SessionStore } {
  try {
    // As a file of the directory where the process runs would: by a path from there, or by the name of a package.
    return createRequire(join(process.cwd(), "settings.js"))(module);
  } catch (error) {
    throw new UnfitStore(`STORE_MODULE ${module} cannot be loaded: ${describeFault(error)}`);
  }
}
