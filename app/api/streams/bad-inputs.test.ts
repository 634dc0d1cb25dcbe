import { StrKey } from "@stellar/stellar-sdk/base";
import { expect, test } from "vitest";
import { ORIGIN } from "../auth/routes.fixture.ts";
import { route } from "../documented-route.fixture.ts";
import { answerOf, as, codeOf, create, everything, KEYS, list, make, WISH } from "./routes.fixture.ts";

test.each([
  "?status=none",
  "?status=active&status=draft",
  "?role=owner",
  "?limit=0",
  "?limit=101",
  "?limit=1e1",
  "?limit=-1",
  "?cursor=nonsense",
  `?cursor=${"A".repeat(2_000)}`,
])("GET /api/streams%s is refused", async (query) => {
  expect(codeOf(await list(query))).toBe("400 invalid_request");
});

const muxed = StrKey.encodeMed25519PublicKey(
  Buffer.concat([StrKey.decodeEd25519PublicKey(KEYS.recipient.account), Buffer.alloc(8, 1)]),
);

test("a recipient may be a muxed account", async () => {
  expect((await create({ ...WISH, recipient: muxed })).json).toMatchObject({ recipient: muxed });
});

test.each<[string, Record<string, unknown>]>([
  ["no recipient", { recipient: undefined }],
  ["a recipient that is a number", { recipient: 7 }],
  [
    "a recipient with a wrong checksum",
    { recipient: `${WISH.recipient.slice(0, -1)}${WISH.recipient.endsWith("A") ? "B" : "A"}` },
  ],
  ["a seed for a recipient", { recipient: KEYS.recipient.seed }],
  ["a contract for a recipient", { recipient: StrKey.encodeContract(Buffer.alloc(32, 1)) }],
  ["a recipient with a memo", { recipient: `${WISH.recipient}:7` }],
  ["a recipient in small letters", { recipient: WISH.recipient.toLowerCase() }],
  ["oneself for a recipient", { recipient: KEYS.sender.account }],
  ["no deposit", { deposit: undefined }],
  ["a deposit that is a number", { deposit: 100 }],
  ["a deposit of nothing", { deposit: "0" }],
  ["a deposit below nothing", { deposit: "-1" }],
  ["a deposit with 8 digits", { deposit: "1.00000001" }],
  ["a deposit with an exponent", { deposit: "1e3" }],
  ["a deposit beyond 64 bits", { deposit: "922337203685.4775808" }],
  ["no duration", { duration_seconds: undefined }],
  ["a duration that is a text", { duration_seconds: "100" }],
  ["a duration of parts of a second", { duration_seconds: 100.5 }],
  ["a duration too short", { duration_seconds: 59 }],
  ["a duration too long", { duration_seconds: 315_360_001 }],
  ["a duration that is null", { duration_seconds: null }],
  ["a title that is a number", { title: 7 }],
  ["a title too long", { title: "é".repeat(81) }],
  ["a title of two lines", { title: "a\nb" }],
  ["a title of two lines by a separator", { title: "a\u2028b" }],
  ["a title with a direction mark", { title: "a\u200fb" }],
  ["a title with an Arabic letter mark", { title: "a\u061cb" }],
  ["a title with a soft hyphen", { title: "a\u00adb" }],
  ["a title with a space without a width", { title: "a\u200bb" }],
  ["a title of a blank letter", { title: "\u3164" }],
  ["a title of a blank pattern", { title: "\u2800" }],
  ["a title of joiners alone", { title: "\u200d\ufe0f" }],
  ["a title of a mark on nothing", { title: "\u0301" }],
  ["a title with tag characters", { title: "a\u{e0041}\u{e007f}" }],
  ["a title with a filler", { title: "a\u115fb" }],
  ["a title that turns what is around it", { title: "a\u202eb" }],
  ["a title with a NUL", { title: "a\0b" }],
  ["a title with half a character", { title: "a\ud800" }],
  ["a start that is a text", { start: "true" }],
])("a stream with %s is refused, and none is made", async (_, wrong) => {
  const before = await everything();
  expect(codeOf(await create({ ...WISH, ...wrong }))).toBe("400 invalid_request");
  expect(await everything()).toBe(before);
});

test.each<[string, BodyInit, string, string]>([
  ["an array", "[]", "application/json", "400 invalid_request"],
  ["nothing", "", "application/json", "400 invalid_request"],
  ["doubled members", `{"deposit":"1","deposit":"2"}`, "application/json", "400 invalid_request"],
  ["__proto__", `{"__proto__":${JSON.stringify(WISH)}}`, "application/json", "400 invalid_request"],
  ["invalid UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "application/json", "400 invalid_request"],
  [
    "a form",
    new URLSearchParams({ deposit: "1" }).toString(),
    "application/x-www-form-urlencoded",
    "415 unsupported_media_type",
  ],
  ["plain text", "{}", "text/plain", "415 unsupported_media_type"],
  [
    "more than 4 KiB",
    JSON.stringify({ ...WISH, x: "x".repeat(4_096) }),
    "application/json",
    "413 body_too_large",
  ],
])("a body of %s is refused, by commands too where there is one", async (name, body, type, expected) => {
  const id = await make();
  const before = await everything();
  const request = (path: string) =>
    new Request(`${ORIGIN}${path}`, {
      method: "POST",
      body,
      headers: { ...as("sender"), "content-type": type },
    });
  expect(codeOf(await answerOf(route(request("/api/streams"))))).toBe(expected);
  if (name !== "nothing" && name !== "__proto__") {
    expect(codeOf(await answerOf(route(request(`/api/streams/${id}/start`))))).toBe(expected);
  }
  expect(await everything()).toBe(before);
});
