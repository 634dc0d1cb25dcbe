import { expect, test } from "vitest";
import { BODY_MEMBERS_MAX } from "../../limits.ts";
import { readBody } from "./body.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

function read(type: string, body: string) {
  const headers = { "Content-Type": type };
  return readBody(new Request("https://pay.example.com/", { method: "POST", headers, body }), 65_536);
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);
const json = (count: number) => JSON.stringify(Object.fromEntries(names(count).map((name) => [name, 1])));

test.each([
  ["a JSON object", JSON_TYPE, json],
  ["a form", FORM_TYPE, (count: number) => names(count).join("&")],
])("%s with too many members is refused", async (_, type, bodyOf) => {
  expect((await read(type, bodyOf(BODY_MEMBERS_MAX))).size).toBe(BODY_MEMBERS_MAX);
  await expect(read(type, bodyOf(BODY_MEMBERS_MAX + 1))).rejects.toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining("1000 members at most"),
  });
});

test("a form of nothing but separators is no way around that", async () => {
  await expect(read(FORM_TYPE, "&".repeat(60_000))).rejects.toMatchObject({ code: "invalid_request" });
});

const OTHERS = [
  "version=1",
  "odata=verbose",
  "boundary=x",
  "q=0.5",
  'profile="a b"',
  "charset",
  "charset=",
  "",
];
const UTF8 = ["utf-8", "UTF-8", "utf8", "UTF_8", '"utf-8"', '"utf8"', "'utf-8'"];
const LIKE_ASCII = [
  "ISO-8859-1",
  "iso8859-1",
  "latin1",
  "US-ASCII",
  "ascii",
  "windows-1252",
  '"iso-8859-15"',
];

test.each([...OTHERS, ...UTF8.map((label) => `charset=${label}`)])(
  "%j after the type changes nothing",
  async (parameter) => {
    expect(await read(`${JSON_TYPE};${parameter}`, '{"a":"é"}')).toEqual(new Map([["a", "é"]]));
    expect(await read(`${FORM_TYPE} ; x=y; ${parameter}`, "a=é")).toEqual(new Map([["a", "é"]]));
  },
);

test.each(LIKE_ASCII)("a body of ASCII may be called %s, another one may not", async (label) => {
  const type = `${FORM_TYPE};version=1; Charset = ${label}`;
  expect(await read(type, "a=b%20c")).toEqual(new Map([["a", "b c"]]));
  await expect(read(type, "a=é")).rejects.toMatchObject({ code: "unsupported_media_type" });
  await expect(read(`${type};charset=utf-8`, "a=é")).rejects.toMatchObject({
    code: "unsupported_media_type",
  });
});

test.each(["utf-16", "utf-16le", "utf-7", "iso-2022-jp", "ebcdic", "utf-8,ascii", "constructor"])(
  "the charset %s is not read",
  async (label) => {
    await expect(read(`${JSON_TYPE};charset=${label}`, "{}")).rejects.toMatchObject({
      code: "unsupported_media_type",
    });
  },
);
