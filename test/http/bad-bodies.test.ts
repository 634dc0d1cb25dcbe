// Bodies that are not what they should be, over HTTP: each gets its documented answer, and changes nothing.
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { appUnderTest } from "../support/app-under-test.ts";
import { dump } from "../support/database.ts";
import { problemOf, type SendOptions, STACK_TRACE } from "../support/http-client.ts";

const app = appUnderTest();

/** Stands for a secret in a body that is refused: it must not come back. */
const MARK = "wsr1_secretmark";
const INVALID = "400 invalid_request";
const UNSUPPORTED = "415 unsupported_media_type";
const TOO_LARGE = "413 body_too_large";

type Row = [name: string, body: string | Uint8Array<ArrayBuffer>, expected: string, contentType?: string];

const FORM = "application/x-www-form-urlencoded";

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => [...Buffer.from(part as string)]));
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

function rows(member: string, limit: number): Row[] {
  return [
    ["an array", `["${MARK}"]`, INVALID],
    ["a number", "7", INVALID],
    ["null", "null", INVALID],
    ["a string", `"${MARK}"`, INVALID],
    ["not JSON", MARK, INVALID],
    ["cut short", `{"${member}":"${MARK}`, INVALID],
    ["doubled members", `{"${member}":"${MARK}","${member}":"x"}`, INVALID],
    ["members doubled by an escape", `{"${member}":"${MARK}","${escaped(member)}":"x"}`, INVALID],
    ["__proto__ doubled", '{"__proto__":1,"__proto__":2}', INVALID],
    ["a number as the member", `{"${member}":7}`, INVALID],
    ["an array as the member", `{"${member}":["${MARK}"]}`, INVALID],
    ["an object as the member", `{"${member}":{"${member}":"${MARK}"}}`, INVALID],
    ["a lone surrogate", `{"${member}":"\\ud800"}`, INVALID],
    ["a raw NUL", bytes(`{"${member}":"${MARK}`, [0], '"}'), INVALID],
    ["invalid UTF-8", bytes(`{"${member}":"${MARK}`, [0xff], '"}'), INVALID],
    ["overlong UTF-8", bytes(`{"${member}":"${MARK}`, [0xc0, 0x80], '"}'), INVALID],
    ["a byte order mark", bytes([0xef, 0xbb, 0xbf], `{"${member}":"${MARK}"}`), INVALID],
    ["arrays 1,500 deep", nested(1_500), INVALID],
    ["arrays 10,000 deep", nested(10_000), limit < 20_000 ? TOO_LARGE : INVALID],
    ["a byte beyond the limit", `{"a":"${"x".repeat(limit - 7)}"}`, TOO_LARGE],
    ["10 MB", `{"${member}":"${"x".repeat(10_000_000)}"}`, TOO_LARGE],
    ["a doubled form member", `${member}=${MARK}&${member}=x`, INVALID, FORM],
    ["a wrong escape", `${member}=%zz`, INVALID, FORM],
    ["invalid UTF-8 in an escape", `${member}=%ff`, INVALID, FORM],
    ["plain text", `{"${member}":"${MARK}"}`, UNSUPPORTED, "text/plain"],
    ["a multipart form", `--x\r\n\r\n${MARK}\r\n--x--`, UNSUPPORTED, "multipart/form-data; boundary=x"],
    ["another charset", `{"${member}":"${MARK}"}`, UNSUPPORTED, "application/json; charset=utf-16"],
    ["an empty type", `{"${member}":"${MARK}"}`, UNSUPPORTED, ""],
  ];
}

/** The name with its first letter as a JSON escape. */
function escaped(name: string): string {
  return `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}`;
}

describe.each([
  ["/api/auth/wallet", "transaction", 65_536, INVALID],
  ["/api/auth/refresh", "refresh_token", 4_096, "401 refresh_token_missing"],
  ["/api/auth/logout", "refresh_token", 4_096, "204"],
])("%s", (path, member, limit, withoutMember) => {
  test.each(rows(member, limit))("refuses %s", async (_, body, expected, type = "application/json") => {
    const { client, server } = app;
    await client.signIn();
    const before = dump(server);
    const answer = await client.send("POST", path, { body, headers: { "Content-Type": type } });
    expect(problemOf(answer)).toBe(expected);
    expect(answer.text).not.toContain("secretmark");
    expect(answer.text).not.toMatch(STACK_TRACE);
    expect(answer.setCookies).toEqual([]);
    expect(dump(server)).toBe(before);
  });

  test("takes an empty body, or one without the member, for none", async () => {
    const { client, server } = app;
    const before = dump(server);
    const none: SendOptions[] = [
      {},
      { body: {} },
      { body: "", headers: { "Content-Type": "application/json" } },
      { body: { [member]: "" } },
      { body: "&&", headers: { "Content-Type": FORM } },
      {
        body: `{"__proto__":{"${member}":"${MARK}"},"constructor":{"prototype":{"${member}":"${MARK}"}}}`,
        headers: { "Content-Type": "application/json" },
      },
      { body: `{"deep":${nested(1_500)}}`, headers: { "Content-Type": "application/json" } },
    ];
    for (const sent of none) {
      const answer = await client.send("POST", path, sent);
      expect(answer.status === 204 ? "204" : problemOf(answer)).toBe(withoutMember);
    }
    expect(dump(server)).toBe(before);
  });
});

test.each(["refresh_token", "access_token", "token"])(
  "a token in the query (%s) is refused",
  async (name) => {
    const { client } = app;
    const { refreshToken, sessionId } = await client.signIn();
    for (const [method, path] of [
      ["POST", "/api/auth/refresh"],
      ["GET", "/api/auth/refresh"],
      ["POST", "/api/auth/logout"],
    ] as const) {
      const answer = await client.send(method, `${path}?${name}=${refreshToken}`);
      expect(problemOf(answer)).toBe(INVALID);
      expect(answer.text).not.toContain(sessionId);
    }
    expect((await client.refresh(refreshToken)).status).toBe(200);
  },
);

test("a refused body does not hold up the next request on its connection", async () => {
  const size = 1_000_000;
  const statuses = await statusesOnOneConnection(
    [
      "POST /api/auth/refresh HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/json",
      `Content-Length: ${size}`,
      "",
      "x".repeat(size),
    ].join("\r\n"),
    "GET /api/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
  );
  expect(statuses).toEqual([413, 200]);
});

/** Sends requests one behind the other, and gives the statuses of what came back until the connection was closed. */
function statusesOnOneConnection(...requests: string[]): Promise<number[]> {
  const { hostname, port } = new URL(app.server.address);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname);
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      resolve([...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)));
    });
    socket.write(requests.join(""));
  });
}
