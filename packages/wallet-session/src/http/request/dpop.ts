import { AUTH_BASE_PATH } from "../../auth-paths.ts";
import type { DpopRequest } from "../../bindings/dpop-proof.ts";
import type { HttpContext } from "../context.ts";
import { withoutSlash } from "../handler.ts";

/**
 * The DPoP proof of a request, and what it must speak of; null without one. The address is the one by which clients know the
 * service, whatever proxies and frameworks have made of it on the way. A slash at its end names the same address. Several headers
 * of one name come as a list, which is no proof.
 */
export function dpopOf(
  { publicUrl, paths }: Pick<HttpContext, "publicUrl" | "paths">,
  { headers, method, url }: Request,
): DpopRequest | null {
  const proof = headers.get("dpop");
  if (proof === null) return null;
  const { origin } = publicUrl;
  const pathname = withoutSlash(new URL(url).pathname);
  const urls = cutPrefixes(paths.base).flatMap((prefix) => {
    const address = origin + prefix + pathname;
    return [address, `${address}/`];
  });
  return { proof, method, urls };
}

/** What may be missing where paths begin: a framework or a proxy takes off how the base path begins, as Next does with its own. */
function cutPrefixes(base: string): string[] {
  if (base === AUTH_BASE_PATH) return [""];
  return [...base.matchAll(/\//g)].map(({ index }) => base.slice(0, index));
}
