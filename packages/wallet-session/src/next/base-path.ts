/** Next's own `basePath`. Next writes it into the code that it bundles; a server cannot ask for it. */
function nextBasePath(): string {
  return process.env.__NEXT_ROUTER_BASEPATH ?? "";
}

/** A path of the app as browsers see it. One that begins with Next's `basePath` is taken for that. */
export function asBrowsersSee(path: string): string {
  return isBelow(path, nextBasePath()) ? path : nextBasePath() + path;
}

/** What Next's `redirect` takes for a path as browsers see it: Next adds its `basePath`. @throws Error where it does not fit */
export function asRedirected(path: string): string {
  const base = nextBasePath();
  if (isBelow(path, base)) return path.slice(base.length);
  throw new Error(`AUTH_BASE_PATH must begin with the basePath of Next's configuration, ${base}.`);
}

function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}
