import { cookieNames } from "../../src/cookie-names.ts";
import { requireJson } from "../../src/http/accept.ts";
import { headerToken } from "../../src/http/request/authorization.ts";
import { readBody } from "../../src/http/request/body.ts";
import { clientMetadata } from "../../src/http/request/client-metadata.ts";
import { createSessionCookies } from "../../src/http/request/cookies.ts";
import { clientNetwork, parseIp, truncatedIp } from "../../src/http/request/ip-address.ts";
import { queryValue, refuseTokensInQuery } from "../../src/http/request/query.ts";
import { retryKeyFromCookie, retryKeyFromHeader } from "../../src/http/request/retry-key.ts";
import { unquoted } from "../../src/http/request/unquoted.ts";
import { sitePath } from "../../src/site-path.ts";
import * as forge from "./forge.ts";
import type { Target } from "./fuzz.ts";
import { must, refusal, requestWith, textOf } from "./oracle.ts";

const NAMES = cookieNames("ws");
const ours: readonly string[] = Object.values(NAMES);
/** One of our names, and the white space of cookies around it. */
const isOurs = (text: string) =>
  ours.some((name) => text.includes(name) && text.split(name).every((rest) => /^[ \t]*$/.test(rest)));
const jar = createSessionCookies(NAMES, "/api/auth");
const KEY = "a retry key of 36 characters, bare it is".replaceAll(" ", "-");

const cookies: Target = {
  name: "cookies",
  seeds: [
    `${NAMES.access}=eyJ.x.y; ${NAMES.refresh}=wsr1_x; ${NAMES.session}=${forge.sessionId}; ${NAMES.retry}="${KEY}"`,
  ],
  words: [...ours, ";", "=", "; ", '"', "\t", "\xa0", ",", "__HOST-", "$Version=1"],
  maxBytes: 2_000,
  run(input) {
    const header = textOf(input);
    const request = requestWith("Cookie", header);
    if (request === null) return "no header";
    const read = jar.read(request);
    // What a neighbour sets under names of its own changes nothing, wherever it stands.
    const pairs = (request.headers.get("cookie") ?? "").split(";");
    const own = pairs.filter((pair) => isOurs(pair.split("=", 1)[0] ?? ""));
    const alone = jar.read(requestWith("Cookie", own.join(";")) ?? new Request(forge.ORIGIN));
    must(JSON.stringify(alone) === JSON.stringify(read), "read our cookies alone");
    const values = [...read.accessTokens, ...read.refreshTokens];
    must(
      values.every((value) => value !== "" && !value.includes(";")),
      "read values that end",
    );
    jar.showsThatItKeeps(read);
    retryKeyFromCookie(read.retryKey);
    return `${Math.min(2, read.accessTokens.length)} ${Math.min(2, read.refreshTokens.length)} ${read.sessionId !== null} ${read.retryKey !== null}`;
  },
};

/** Of Structured Fields, strings alone are read: retry keys, and what browsers send of their device keys. */
const structuredString: Target = {
  name: "structured-string",
  seeds: [`"${KEY}"`, KEY, '"a\\"b\\\\c-and-so-on"', `"${forge.deviceId}"`],
  words: ['"', "\\", '\\"', "\\\\", ";", ",", "?1", ":", "\x7f"],
  maxBytes: 400,
  run(input) {
    const text = textOf(input);
    const value = unquoted(text);
    if (value !== null && text.startsWith('"')) {
      const again = `"${value.replace(/["\\]/g, "\\$&")}"`;
      must(again === text, "read strings in their one spelling");
    }
    const request = requestWith("Idempotency-Key", text);
    if (request === null) return `no header, ${value === null}`;
    try {
      const key = retryKeyFromHeader(request);
      if (key === null) return "no key";
      must(/^[!-~]{16,128}$/.test(key), "take visible characters, as many as allowed");
      must(retryKeyFromCookie(request.headers.get("idempotency-key")) === key, "read cookies alike");
      return `a key, quoted: ${text.includes('"')}`;
    } catch (error) {
      return refusal(error, "invalid_request");
    }
  },
};

const authorization: Target = {
  name: "authorization",
  seeds: ["Bearer eyJ.x.y", "DPoP eyJ.x.y", "Bearer undefined", "Basic eDp5"],
  words: ["bearer", "dpop", " ", ",", "null", '""', "\t", "\xa0", "\x85"],
  maxBytes: 1_000,
  run(input) {
    const request = requestWith("Authorization", textOf(input));
    if (request === null) return "no header";
    const given = headerToken(request);
    if (given === null) return "none";
    must(given.token === given.token.trim() && given.token !== "", "give a token");
    must((request.headers.get("authorization") ?? "").includes(given.token), "give the token that is there");
    return given.scheme;
  },
};

/** The type on the first line, the body behind it. */
const body: Target = {
  name: "body",
  seeds: [
    'application/json\n{"refresh_token":"x","a":{"b":[1,"\\u0061"]}}',
    "application/json; charset=utf-8\n{}",
    "application/x-www-form-urlencoded;charset=iso-8859-1\nrefresh_token=a%20b+c&d=",
  ],
  words: [
    '"',
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\\u0061",
    "\\",
    "&",
    "=",
    "%",
    "+",
    "\xef\xbb\xbf",
    "\xff",
    "__proto__",
    "charset=",
    "1e400",
    "\\ud800",
  ],
  maxBytes: 4_200,
  async run(input) {
    const [type = "", ...rest] = textOf(input).split("\n");
    const bytes = Buffer.from(rest.join("\n"), "latin1");
    const request = requestWith("Content-Type", type);
    if (request === null) return "no header";
    try {
      const members = await readBody(new Request(request, { method: "POST", body: bytes }), 4_096);
      if (bytes.length === 0) return "no body";
      return /^\s*application\/json/i.test(type) ? sameAsJson(members, bytes) : sameAsForm(members, bytes);
    } catch (error) {
      return refusal(error, "invalid_request", "body_too_large", "unsupported_media_type");
    }
  },
};

function sameAsJson(members: ReadonlyMap<string, unknown>, bytes: Buffer): string {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  must(
    JSON.stringify([...members]) === JSON.stringify(Object.entries(JSON.parse(text))),
    "read as JSON.parse",
  );
  let depth = 0;
  let names = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token.startsWith('"')) names += depth === 1 && token.endsWith(":") ? 1 : 0;
    else depth += /[{[]/.test(token) ? 1 : -1;
  }
  must(names === members.size, "refuse doubled members");
  return `JSON of ${Math.min(3, names)}`;
}

function sameAsForm(members: ReadonlyMap<string, unknown>, bytes: Buffer): string {
  const pairs = [...new URLSearchParams(`&${bytes}`)];
  must(JSON.stringify([...members]) === JSON.stringify(pairs), "read as a browser writes forms");
  return `a form of ${Math.min(3, members.size)}`;
}

const query: Target = {
  name: "query",
  seeds: ["next=%2Fstreams%3Fa%3Db&else=/sign-in", "account=G&memo=1", "refresh_token=x"],
  words: [
    "next=",
    "&",
    "=",
    "%",
    "+",
    "/",
    "\\",
    "//",
    "..",
    "%09",
    "javascript:",
    "refresh_token",
    "#",
    "@",
    "\xe3\x80\x82",
  ],
  maxBytes: 1_000,
  run(input) {
    const request = new Request(`${forge.ORIGIN}/api/auth/refresh?${textOf(input)}`);
    try {
      refuseTokensInQuery(request);
      const next = queryValue(request, "next");
      const path = sitePath(next);
      if (path === null) return `no path, ${next === null}`;
      must(
        new URL(path, forge.ORIGIN).origin === forge.ORIGIN && !path.startsWith("//"),
        "stay on this site",
      );
      must(sitePath(path) === path, "give a path that is one as it is");
      return `a path${path.includes("?") ? " with a query" : ""}`;
    } catch (error) {
      return refusal(error, "invalid_request");
    }
  },
};

const accept: Target = {
  name: "accept",
  seeds: ["application/json", "text/html, */*;q=0.8", "application/problem+json;q=0, application/*"],
  words: ["*/*", ";q=0", ";q=1e9", ",", "application/json", "q=NaN", " ", "-1"],
  maxBytes: 1_000,
  run(input) {
    const request = requestWith("Accept", textOf(input));
    if (request === null) return "no header";
    try {
      requireJson(request);
      return "acceptable";
    } catch (error) {
      return refusal(error, "not_acceptable");
    }
  },
};

/** What is told of a client, by its address and its `User-Agent`. */
const client: Target = {
  name: "client",
  seeds: [
    "203.0.113.7\nMozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "2001:db8::1%eth0\nMozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1",
    "::ffff:203.0.113.7\ncurl/8.5.0",
  ],
  words: ["::", ":", ".", "%", "ffff:", "/", "(", ")", ";", "Android 16", "Chrome/", "0x7f"],
  maxBytes: 600,
  run(input) {
    const [address = "", ...rest] = textOf(input).split("\n");
    const request = requestWith("User-Agent", rest.join(" "));
    if (request === null) return "no header";
    const { browser, os, device } = clientMetadata(request, address);
    must(
      [browser, os, device].every((name) => name === null || name.length <= 45),
      "keep short names",
    );
    const ip = parseIp(address);
    if (ip === null) return "no address";
    must(parseIp(truncatedIp(ip)) !== null && parseIp(clientNetwork(ip)) !== null, "give addresses");
    return `IPv${ip.version}`;
  },
};

export const REQUEST_TARGETS = [cookies, structuredString, authorization, body, query, accept, client];
