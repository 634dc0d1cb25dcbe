import { expect, test } from "vitest";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE, readJar } from "./cookies.ts";

function jarOf(cookie: string) {
  return readJar(new Request("https://pay.example.com/", { headers: { Cookie: cookie } }));
}

const NAMES = [ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE];
const NONE = { accessToken: null, refreshToken: null, retryKey: null };

test("names and values may have blanks around them, and other cookies beside them", () => {
  const cookie = NAMES.map((name, index) => `${name}= value-${index}`).join(";\t");
  expect(jarOf(`theme=dark; flag; ${cookie} ; =`)).toEqual({
    accessToken: "value-0",
    refreshToken: "value-1",
    retryKey: "value-2",
  });
});

test.each([
  ["another case", (name: string) => name.toLowerCase()],
  ["a no-break space in front", (name: string) => `\u00a0${name}`],
  ["a no-break space behind", (name: string) => `${name}\u00a0`],
  ["a UTF-8 space in front, as header bytes", (name: string) => `\u00e2\u0080\u0080${name}`],
])("a name with %s is another name: browsers do not guard it", (_, alter) => {
  expect(jarOf(NAMES.map((name) => `${alter(name)}=planted`).join("; "))).toEqual(NONE);
});

test.each([["="], [`${RETRY_COOKIE}=a`]])("each of many %s is looked at once", (pair) => {
  const header = Array(500).fill(pair).join(";");
  expect(stepsThroughArrays(() => jarOf(header))).toBeLessThan(5_000);
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
