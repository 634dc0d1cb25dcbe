import { expect, test } from "vitest";
import { cookieNames } from "../../cookie-names.ts";
import { createSessionCookies } from "./cookies.ts";

const COOKIES = cookieNames("shop");
const NAMES = Object.values(COOKIES);
const NONE = { accessTokens: [], refreshTokens: [], sessionId: null, retryKey: null };
const [ID, OTHER_ID] = ["A".repeat(22), "B".repeat(21).concat("A")];

function read(cookie: string) {
  const headers = { Cookie: cookie };
  return createSessionCookies(COOKIES, "/api/auth").read(
    new Request("https://pay.example.com/", { headers }),
  );
}

test("names and values may have blanks around them, and other cookies beside them", () => {
  const cookie = NAMES.map((name, index) => `${name}= ${index === 2 ? ID : `value-${index}`}`).join(";\t");
  expect(read(`theme=dark; flag; ${cookie} ; =`)).toEqual({
    accessTokens: ["value-0"],
    refreshTokens: ["value-1"],
    sessionId: ID,
    retryKey: "value-3",
  });
});

test.each([
  ["another case", (name: string) => name.toUpperCase()],
  ["a no-break space in front", (name: string) => `\u00a0${name}`],
  ["a no-break space behind", (name: string) => `${name}\u00a0`],
  ["a UTF-8 space in front, as header bytes", (name: string) => `\u00e2\u0080\u0080${name}`],
])("a name with %s is another name: browsers do not guard it", (_, alter) => {
  expect(read(NAMES.map((name) => `${alter(name)}=planted`).join("; "))).toEqual(NONE);
});

test("of one name all different values are read, each once, and no empty one", () => {
  const { refresh, access } = COOKIES;
  const cookie = `${refresh}=a; ${refresh}=; ${refresh}=b; ${refresh}=a; ${access}=c; ${access}=c`;
  expect(read(cookie)).toEqual({ ...NONE, refreshTokens: ["a", "b"], accessTokens: ["c"] });
});

test("a session cookie that is no session id, or one of two, and one of two retry keys count as none", () => {
  const { session, retry } = COOKIES;
  expect(read(`${session}=nobody`)).toEqual(NONE);
  expect(read(`${session}=${ID}; ${session}=${OTHER_ID}; ${retry}=a; ${retry}=b`)).toEqual(NONE);
});

test.each([["="], [`${COOKIES.retry}=a`]])("each of many %s is looked at once", (pair) => {
  const header = Array(500).fill(pair).join(";");
  expect(stepsThroughArrays(() => read(header))).toBeLessThan(5_000);
});

/** How many items of arrays are taken one after another meanwhile, as by `for` and by `[...array]`. */
function stepsThroughArrays(run: () => void): number {
  const prototype = Object.getPrototypeOf([][Symbol.iterator]());
  const { next } = prototype;
  let steps = 0;
  prototype.next = function (this: unknown) {
    steps++;
    return next.call(this);
  };
  try {
    run();
  } finally {
    prototype.next = next;
  }
  return steps;
}
