import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { cookieNames } from "../cookie-names.ts";
import { createSessionCookies } from "../http/request/cookies.ts";
import {
  COOKIES_MAX,
  HEADER_LINES_MAX,
  OTHER_COOKIES_KEPT,
  QUERY_PAIRS_MAX,
  URL_MAX_CHARS,
} from "../limits.ts";
import { cutHead } from "./cut-head.ts";

type SentHeaders = Record<string, string | string[]>;

const NAMES = cookieNames("ws");
const OURS = new Set(Object.values(NAMES));

/** What is left of the head of one real request. */
async function cut(path: string, headers: SentHeaders = {}): Promise<IncomingMessage> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const received = new Promise<IncomingMessage>((resolve) => {
    server.on("request", (incoming, response) => {
      cutHead(incoming, OURS);
      response.end();
      resolve(incoming);
    });
  });
  const { port } = server.address() as AddressInfo;
  httpRequest({ host: "127.0.0.1", port, path, headers, agent: false }).end();
  return received;
}

const cookieOf = async (cookie: string | string[]) => (await cut("/", { Cookie: cookie })).headers.cookie;

const many = <Item>(count: number, make: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => make(index));

test("a request as browsers send it stays as it is", async () => {
  const path = `/a?${many(QUERY_PAIRS_MAX, (index) => `a[]=${index}`).join("&")}`;
  const cookie = many(COOKIES_MAX, (index) => `c${index}=%20"x"`).join("; ");
  const userAgent = `Mozilla/5.0 (${"Linux; ".repeat(70)})`.slice(0, 512);
  const { url, headers, rawHeaders } = await cut(path, { Cookie: cookie, "User-Agent": userAgent, A: "1" });
  expect([url, headers.cookie, headers["user-agent"]]).toEqual([path, cookie, userAgent]);
  expect(rawHeaders).toEqual(expect.arrayContaining(["Cookie", cookie, "User-Agent", userAgent, "A", "1"]));
});

test.each([
  ["http://elsewhere.example/a/b?c=d", "/a/b?c=d"],
  ["HTTPS://user@elsewhere.example:8443", "/"],
  ["http://elsewhere.example?c", "/?c"],
  ["http:///a", "/a"],
])("of the target %s the path stays", async (target, path) => {
  expect((await cut(target)).url).toBe(path);
});

test("a target that names no path is refused as a whole", async () => {
  for (const target of ["*", "ftp://elsewhere.example/a"]) expect((await cut(target)).rawHeaders).toEqual([]);
});

test.each([["a"], ["a="], ["a=1"], ["a[]="], ["="], [""], ["%61"]])(
  "of many parameters like %j the first stay",
  async (pair) => {
    const { url } = await cut(`/api/healthz?first=1&${many(3_000, () => pair).join("&")}`);
    expect(url).toBe(`/api/healthz?first=1&${many(QUERY_PAIRS_MAX - 1, () => pair).join("&")}`);
  },
);

test.each([["/a"], ["/%41"], ["?a=+"], ["?a=%"]])(
  "an address of 8 KB like %j stays, and a longer one is refused",
  async (like) => {
    const address = (chars: number) => `/p${like}`.padEnd(chars, like.replace("?a=", ""));
    const { url, headers } = await cut(address(URL_MAX_CHARS));
    expect([url, headers.host]).toEqual([address(URL_MAX_CHARS), expect.any(String)]);
    const refused = await cut(address(URL_MAX_CHARS + 1));
    expect([refused.headers, refused.rawHeaders, refused.httpVersionMinor]).toEqual([{}, [], 1]);
  },
);

test("of many cookies ours stay, wherever they are, and the first others", async () => {
  const others = many(400, (index) => `c${index}=${index}`);
  const cookie = [
    ...others.slice(0, 200),
    `${NAMES.access}=a.b=`,
    ...others.slice(200),
    `${NAMES.refresh}=r`,
  ];
  const kept = [...others.slice(0, OTHER_COOKIES_KEPT), `${NAMES.access}=a.b=`, `${NAMES.refresh}=r`].join(
    "; ",
  );
  for (const sent of [cookie.join("; "), cookie.join(";"), cookie]) {
    const { headers, rawHeaders } = await cut("/", { Cookie: sent, "User-Agent": "x", B: "2" });
    expect(headers.cookie).toBe(kept);
    expect(rawHeaders.filter((text) => text.includes("c1="))).toEqual([kept]);
    expect(rawHeaders).toEqual(expect.arrayContaining(["User-Agent", "x", "B", "2"]));
  }
});

test.each([
  ["without a value", (index: number) => `c${index}`],
  ["told apart by blanks", (index: number) => `${" ".repeat(index)}${NAMES.access}\t`],
  ["told apart by other spaces", (index: number) => "\u00a0".repeat(index % 40) + index],
])("many cookies %s do not get through", async (_, make) => {
  const left = (await cookieOf(many(120, make).join(";"))) ?? "";
  expect(new Set(left.split("; ")).size).toBeLessThanOrEqual(OTHER_COOKIES_KEPT);
});

test("nor do many of one name", async () => {
  for (const piece of ["a=1", "=", ""]) {
    const left = (await cookieOf(many(3_000, () => piece).join(";"))) ?? "";
    expect(left.split(";").length).toBeLessThanOrEqual(OTHER_COOKIES_KEPT);
  }
});

test("a cookie of ours that comes twice still does; another's name does not become ours", async () => {
  const others = many(400, (index) => `c${index}=1`).join("; ");
  const jarOf = (cookie?: string) =>
    createSessionCookies(NAMES, "/api/auth").read(
      new Request("https://pay.example.com/", { headers: { cookie: cookie ?? "" } }),
    );
  const twice = await cookieOf(`${others}; ${NAMES.access}=a; ${NAMES.access}=b`);
  expect(jarOf(twice).accessTokens).toEqual(["a", "b"]);
  expect(jarOf(await cookieOf(`\u00a0${NAMES.access}=planted; ${others}`)).accessTokens).toEqual([]);
});

test("a long User-Agent is cut, in every line of it", async () => {
  const { headers, rawHeaders } = await cut("/", { "User-Agent": ["a; ".repeat(3_000), "b".repeat(3_000)] });
  expect(headers["user-agent"]).toBe("a; ".repeat(171).slice(0, 512));
  expect(rawHeaders.join("").length).toBeLessThan(1_000);
});

test("a word of it that is longer than any word ends it", async () => {
  const words = `Mozilla/5.0 (Linux; ${"x".repeat(64)}) Version/4.0`;
  expect((await cut("/", { "User-Agent": words })).headers["user-agent"]).toBe(words);
  for (const piece of ["a-", "droid"]) {
    const long = `Mozilla/5.0 ${piece.repeat(40)} Version/4.0`;
    const { headers } = await cut("/", { "User-Agent": long });
    expect(headers["user-agent"]).toBe(long.slice(0, "Mozilla/5.0 ".length + 64));
  }
});

test.each(["HTTP/1.1", "HTTP/1.0"])(
  "a head of too many lines is refused by Node itself, in %s",
  async (version) => {
    const cutFirst = (message: unknown) => cutHead((message as { request: IncomingMessage }).request, OURS);
    subscribe("http.server.request.start", cutFirst);
    const seen: (string | undefined)[] = [];
    const server = createServer((incoming, response) => {
      seen.push(incoming.url);
      response.end("seen");
    });
    onTestFinished(() => {
      unsubscribe("http.server.request.start", cutFirst);
      server.close();
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const answerTo = (path: string, lines: number) => {
      const others = many(lines - 2, (index) => `X-${index % 90}: 1\r\n`).join("");
      const head = `POST ${path} ${version}\r\nHost: x\r\n${others}Connection: close\r\n\r\n`;
      return text(connect(port, "127.0.0.1").end(head));
    };
    expect(await answerTo("/few", HEADER_LINES_MAX)).toMatch(/^HTTP\/1\.1 200 .*seen$/s);
    expect(await answerTo("/many", HEADER_LINES_MAX + 1)).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toEqual(["/few"]);
  },
);
