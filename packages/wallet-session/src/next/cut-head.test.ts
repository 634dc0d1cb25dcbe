import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { cookieNames } from "../cookie-names.ts";
import { createSessionCookies } from "../http/request/cookies.ts";
import { COOKIE_NAMES_KEPT, COOKIE_NAMES_MAX, QUERY_PAIRS_MAX } from "../limits.ts";
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
  const cookie = many(COOKIE_NAMES_MAX, (index) => `c${index}=%20"x"`).join("; ");
  const userAgent = `Mozilla/5.0 (${"Linux; ".repeat(70)})`.slice(0, 512);
  const { url, headers, rawHeaders } = await cut(path, { Cookie: cookie, "User-Agent": userAgent, A: "1" });
  expect([url, headers.cookie, headers["user-agent"]]).toEqual([path, cookie, userAgent]);
  expect(rawHeaders).toEqual(expect.arrayContaining(["Cookie", cookie, "User-Agent", userAgent, "A", "1"]));
});

test.each([["a"], ["a="], ["a=1"], ["a[]="], ["="], [""], ["%61"]])(
  "of many parameters like %j the first stay",
  async (pair) => {
    const { url } = await cut(`/api/healthz?first=1&${many(3_000, () => pair).join("&")}`);
    expect(url).toBe(`/api/healthz?first=1&${many(QUERY_PAIRS_MAX - 1, () => pair).join("&")}`);
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
  const kept = [...others.slice(0, COOKIE_NAMES_KEPT), `${NAMES.access}=a.b=`, `${NAMES.refresh}=r`].join(
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
  expect(new Set(left.split("; ")).size).toBeLessThanOrEqual(COOKIE_NAMES_KEPT);
});

test("a cookie of ours that comes twice still does; another's name does not become ours", async () => {
  const others = many(400, (index) => `c${index}=1`).join("; ");
  const jarOf = (cookie?: string) =>
    createSessionCookies(NAMES).read(
      new Request("https://pay.example.com/", { headers: { cookie: cookie ?? "" } }),
    );
  const twice = await cookieOf(`${others}; ${NAMES.access}=a; ${NAMES.access}=b`);
  expect(jarOf(twice).accessTokens).toEqual(["a", "b"]);
  expect(jarOf(await cookieOf(`\u00a0${NAMES.access}=planted; ${others}`)).accessTokens).toEqual([]);
});

test("a long User-Agent is cut, in every line of it", async () => {
  const { headers, rawHeaders } = await cut("/", { "User-Agent": ["a-".repeat(3_000), "b".repeat(3_000)] });
  expect(headers["user-agent"]).toBe("a-".repeat(256));
  expect(rawHeaders.join("").length).toBeLessThan(1_000);
});
