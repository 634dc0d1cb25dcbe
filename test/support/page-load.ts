import { expect } from "vitest";
import type { Answer, Send } from "./http-client.ts";

/** As browsers open a page. */
export const NAVIGATION = {
  Accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Site": "none",
};

const REDIRECTS_MAX = 10;

/** One page load, with all that it led through. */
export interface PageLoad {
  /** Each address that was asked for, in this order: path and query. */
  readonly addresses: readonly string[];
  /** The same without their queries. */
  readonly paths: readonly string[];
  readonly setCookies: readonly string[];
  readonly last: Answer;
}

/** Opens a page and follows each redirect, as a browser does. None may lead to another origin, or in a loop. */
export async function loadPage(
  send: Send,
  path: string,
  headers: Readonly<Record<string, string>> = NAVIGATION,
  method = "GET",
): Promise<PageLoad> {
  const addresses: string[] = [];
  const setCookies: string[] = [];
  for (let address = path; ; ) {
    addresses.push(address);
    if (addresses.length > REDIRECTS_MAX) throw new Error(`redirect loop: ${addresses.join(" ")}`);
    const last = await send(method, address, { headers });
    setCookies.push(...last.setCookies);
    const location = last.headers.get("location");
    if (location === null) {
      return { addresses, paths: addresses.map((known) => known.split("?", 1)[0] ?? ""), setCookies, last };
    }
    // The bounce that only changes its query says no more than that.
    expect(location).toMatch(/^(?:\/(?!\/)|\?)/);
    address = location.startsWith("?") ? address.replace(/(?:\?.*)?$/, location) : location;
  }
}
