import { createHmac, randomBytes, sign } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, test, vi } from "vitest";
import { SECRET } from "../engine/engine.fixture.ts";
import { sessionIdFrom } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { type AuthenticRefreshToken, readRefreshToken, writeRefreshToken } from "../tokens/refresh-token.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { createSigningKeys } from "../tokens/signing-keys.ts";
import { COOKIES, problemOf, type SendOptions, startHttp, type TestHttp } from "./http.fixture.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const FORM_TYPE = { "Content-Type": "application/x-www-form-urlencoded" };
const MARK = "wsr1_secretmark";

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
const json = (body: SendOptions["body"]): SendOptions => ({ headers: JSON_TYPE, ...(body && { body }) });
const form = (body: string): SendOptions => ({ headers: FORM_TYPE, body });

/** Made only as it is read, piece by piece, as from a socket. `taken` tells how much was. */
function hugeBody(size = 10_000_000, chunkBytes = 1_024) {
  const state = { taken: 0 };
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise(setImmediate);
      if (state.taken >= size) return controller.close();
      state.taken += chunkBytes;
      controller.enqueue(new Uint8Array(chunkBytes).fill(0x20));
    },
  });
  return { stream, state };
}

const MALFORMED: [name: string, sent: SendOptions, expected: string][] = [
  ["an array", json("[]"), "400 invalid_request"],
  ["a number", json("7"), "400 invalid_request"],
  ["null", json("null"), "400 invalid_request"],
  ["a string", json('"x"'), "400 invalid_request"],
  ["spaces", json("  "), "400 invalid_request"],
  ["cut short", json(`{"refresh_token":"${MARK}`), "400 invalid_request"],
  ["not JSON", json(MARK), "400 invalid_request"],
  ["doubled members", json(`{"MEMBER":"${MARK}","MEMBER":"x"}`), "400 invalid_request"],
  ["members doubled by an escape", json(`{"MEMBER":"${MARK}","\\u004dEMBER":"x"}`), "400 invalid_request"],
  ["other members doubled", json('{"a":1,"MEMBER":"x","a":[{}]}'), "400 invalid_request"],
  ["__proto__ doubled", json('{"__proto__":1,"__proto__":2}'), "400 invalid_request"],
  ["a number as the member", json('{"MEMBER":7}'), "400 invalid_request"],
  ["an array as the member", json(`{"MEMBER":["${MARK}"]}`), "400 invalid_request"],
  ["null as the member", json('{"MEMBER":null}'), "400 invalid_request"],
  ["a lone surrogate", json('{"MEMBER":"\\ud800"}'), "400 invalid_request"],
  ["a raw NUL", json(bytes('{"MEMBER":"', [0], '"}')), "400 invalid_request"],
  ["invalid UTF-8", json(bytes('{"MEMBER":"', [0xff], '"}')), "400 invalid_request"],
  ["overlong UTF-8", json(bytes('{"MEMBER":"', [0xc0, 0x80], '"}')), "400 invalid_request"],
  ["a byte order mark", json(bytes([0xef, 0xbb, 0xbf], '{"MEMBER":"x"}')), "400 invalid_request"],
  ["UTF-16", json(Buffer.from('{"MEMBER":"x"}', "utf16le")), "400 invalid_request"],
  ["an array 2,000 deep", json("[".repeat(2_000) + "]".repeat(2_000)), "400 invalid_request"],
  ["a doubled form member", form(`MEMBER=${MARK}&MEMBER=x`), "400 invalid_request"],
  ["a form member doubled by an escape", form(`MEMBER=${MARK}&%4dEMBER=x`), "400 invalid_request"],
  ["a wrong escape", form("MEMBER=%zz"), "400 invalid_request"],
  ["invalid UTF-8 in an escape", form("MEMBER=%ff"), "400 invalid_request"],
  ["a byte order mark before a form", form("\ufeffMEMBER=x"), "400 invalid_request"],
  ["no type", { headers: { "Content-Type": "" }, body: "{}" }, "415 unsupported_media_type"],
  ["plain text", { headers: { "Content-Type": "text/plain" }, body: "{}" }, "415 unsupported_media_type"],
  [
    "a multipart form",
    { headers: { "Content-Type": "multipart/form-data; boundary=x" }, body: "--x--" },
    "415 unsupported_media_type",
  ],
  [
    "another charset",
    { headers: { "Content-Type": "application/json; charset=utf-16" }, body: "{}" },
    "415 unsupported_media_type",
  ],
  ...["gzip", "br", "identity, gzip", "GZIP"].map((encoding): (typeof MALFORMED)[number] => [
    `the encoding ${encoding}`,
    { headers: { "Content-Type": "application/json", "Content-Encoding": encoding }, body: "{}" },
    "415 unsupported_media_type",
  ]),
];

const ENDPOINTS: [path: string, member: string, limit: number][] = [
  ["/api/auth/wallet", "transaction", 65_536],
  ["/api/auth/refresh", "refresh_token", 4_096],
  ["/api/auth/logout", "refresh_token", 4_096],
];

describe.each(ENDPOINTS)("the body of %s", (path, member, limit) => {
  /** Nothing written, no stack, no echo, no cookie. */
  async function refusalOf(http: TestHttp, sent: SendOptions): Promise<string> {
    const before = await http.store.snapshot();
    const response = await http.send("POST", path, sent);
    expect(await http.store.snapshot()).toBe(before);
    const text = await response.clone().text();
    expect(text).not.toMatch(/secretmark|\.ts\b|at .*\(/);
    expect(response.headers.getSetCookie()).toEqual([]);
    return problemOf(response);
  }

  test.each(MALFORMED)("that is or has %s is refused", async (_, { headers, body }, expected) => {
    const http = await startHttp();
    await http.signIn();
    const named =
      typeof body === "string"
        ? body
            .replaceAll("MEMBER", member)
            .replace("\\u004dEMBER", escaped(member))
            .replace("%4dEMBER", percent(member))
        : body instanceof Uint8Array
          ? Buffer.from(Buffer.from(body).toString("latin1").replaceAll("MEMBER", member), "latin1")
          : body;
    expect(await refusalOf(http, { ...(headers && { headers }), ...(named && { body: named }) })).toBe(
      expected,
    );
  });

  test("that is too large is refused, declared or not, without waiting for its end", async () => {
    const http = await startHttp();
    await http.signIn();
    const { stream, state } = hugeBody();
    expect(await refusalOf(http, { headers: JSON_TYPE, body: stream })).toBe("413 body_too_large");
    expect(state.taken).toBeLessThan(limit + 8 * 1_024);
    const declared = hugeBody();
    const headers = { ...JSON_TYPE, "Content-Length": "10000000" };
    expect(await refusalOf(http, { headers, body: declared.stream })).toBe("413 body_too_large");
    expect(declared.state.taken).toBeLessThan(8 * 1_024);
    expect(await refusalOf(http, json(`{"a":"${"x".repeat(limit)}"}`))).toBe("413 body_too_large");
  });

  test("that is refused is thrown away to its end or to a bound, so that its connection can go on", async () => {
    const http = await startHttp();
    const [type, large, endless] = [hugeBody(300_000), hugeBody(300_000), hugeBody(Infinity, 1_000_000)];
    const plain = { "Content-Type": "text/plain" };
    expect(await refusalOf(http, { headers: plain, body: type.stream })).toBe("415 unsupported_media_type");
    expect(await refusalOf(http, { headers: JSON_TYPE, body: large.stream })).toBe("413 body_too_large");
    expect(await refusalOf(http, { headers: JSON_TYPE, body: endless.stream })).toBe("413 body_too_large");
    await vi.waitFor(() => {
      expect(type.state.taken).toBeGreaterThanOrEqual(300_000);
      expect(large.state.taken).toBeGreaterThanOrEqual(300_000);
      expect(endless.state.taken).toBeGreaterThan(16_000_000);
    }, 10_000);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    expect(endless.state.taken).toBeLessThan(20_000_000);
  });

  test("that breaks off is refused", async () => {
    const http = await startHttp();
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("ECONNRESET"));
      },
    });
    expect(await refusalOf(http, { headers: JSON_TYPE, body: stream })).toBe("400 invalid_request");
    expect(http.faults).toEqual([]);
  });

  test("without bytes is none, whatever its type; so is an object without the member", async () => {
    const http = await startHttp();
    const empty = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(0));
        controller.close();
      },
    });
    const none = [
      {},
      json(""),
      { headers: { "Content-Type": "text/plain" }, body: "" },
      { headers: { "Content-Type": "text/plain" }, body: empty },
      json("{}"),
      json('{"__proto__":{"MEMBER":"x"},"constructor":{"prototype":{}}}'.replace("MEMBER", member)),
      json(`{"${member}":""}`),
      form(`${member}=`),
      form("&&"),
    ];
    for (const sent of none) {
      const response = await http.send("POST", path, sent);
      switch (path) {
        case "/api/auth/logout":
          expect(response.status).toBe(204);
          break;
        case "/api/auth/refresh":
          expect(await problemOf(response)).toBe("401 refresh_token_missing");
          break;
        default:
          expect(await problemOf(response)).toBe("400 invalid_request");
      }
    }
  });

  test("of the very limit is read, and deep members that nobody asks for do no harm", async () => {
    const http = await startHttp();
    const shell = '{"a":""}'.length;
    const full = await http.send("POST", path, json(`{"a":"${"x".repeat(limit - shell)}"}`));
    expect(full.status).not.toBe(413);
    const depth = Math.min(10_000, limit / 2 - 32);
    const deep = await http.send("POST", path, json(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`));
    expect([204, 400, 401]).toContain(deep.status);
    expect(http.faults).toEqual([]);
  });
});

/** The name with its first letter as a JSON escape. */
function escaped(name: string): string {
  return `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}${name.slice(1)}`;
}

/** The name with its first letter as a form escape. */
function percent(name: string): string {
  return `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
}

const KEYRING = createKeyring([SECRET]);

/** Tokens made of a good one that its MAC, or its grammar, gives away. */
function badRefreshTokens(good: string): [name: string, token: string][] {
  const body = good.slice("wsr1_".length);
  const raw = Buffer.from(body, "base64url");
  const read = readRefreshToken(KEYRING, good) as AuthenticRefreshToken;
  const rewrite = (change: Partial<AuthenticRefreshToken>) =>
    writeRefreshToken(KEYRING.signing, { ...read, ...change });
  const flipped = Array.from({ length: raw.length * 8 }, (_, bit): [string, string] => {
    const altered = Buffer.from(raw);
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return [`bit ${bit} flipped`, `wsr1_${altered.toString("base64url")}`];
  });
  return [
    ["garbage", "garbage"],
    ["padding", `${good}=`],
    ["standard alphabet", `wsr1_${raw.toString("base64").slice(0, -1)}+`],
    ["truncated", good.slice(0, -1)],
    ["one character longer", `${good}A`],
    ["a byte longer", `wsr1_${Buffer.concat([raw, Buffer.from([0])]).toString("base64url")}`],
    ["another version", `wsr2_${body}`],
    ["no prefix", body],
    ["upper case", good.toUpperCase()],
    ["a space before", ` ${good}`],
    ["a newline after", `${good}\n`],
    ["a NUL after", `${good}\u0000`],
    ["an unknown key", writeRefreshToken(createKeyring(["x".repeat(32)]).signing, read)],
    ["generation 0", rewrite({ generation: 0 })],
    ["generation 2^32 - 1", rewrite({ generation: 0xffff_ffff })],
    ["a real session and a random rest", bodyWith(raw, randomBytes(52))],
    ["an access token", "eyJhbGciOiJFZERTQSJ9.e30.AAAA"],
    ...flipped,
  ];
}

function bodyWith(raw: Buffer, rest: Buffer): string {
  return `wsr1_${Buffer.concat([raw.subarray(0, 20), rest]).toString("base64url")}`;
}

describe("a refresh token that is not quite one of ours", () => {
  test("is refused without a look into the store, in body and cookie", async () => {
    const { send, signIn, browser, store } = await startHttp();
    const { refresh_token } = await signIn();
    const jar = await browser();
    const before = await store.snapshot();
    for (const [name, token] of badRefreshTokens(refresh_token)) {
      store.steps.length = 0;
      const response = await send("POST", "/api/auth/refresh", { body: { refresh_token: token } });
      expect([name, await problemOf(response)]).toEqual([name, "401 refresh_token_invalid"]);
      expect(await response.text()).not.toContain(token.trim());
      expect((await send("POST", "/api/auth/logout", { body: { refresh_token: token } })).status).toBe(204);
      expect([name, store.steps]).toEqual([name, []]);
    }
    for (const [name, token] of badRefreshTokens(jar.cookies.get(COOKIES.refresh) ?? "")) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a header cannot hold them
      if (/[\u0000-\u001f]| /.test(token)) continue;
      const headers = { "Sec-Fetch-Site": "same-origin", Cookie: `${COOKIES.refresh}=${token}` };
      const response = await send("POST", "/api/auth/refresh", { headers });
      expect([name, await problemOf(response)]).toEqual([name, "401 refresh_token_invalid"]);
    }
    expect(await store.snapshot()).toBe(before);
    expect((await send("POST", "/api/auth/refresh", { body: { refresh_token } })).status).toBe(200);
  });

  test("is refused without a write where only the row can tell", async () => {
    const { send, signIn, store } = await startHttp();
    const { refresh_token } = await signIn();
    const before = await store.snapshot();
    const read = readRefreshToken(KEYRING, refresh_token) as AuthenticRefreshToken;
    const rewrite = (change: Partial<AuthenticRefreshToken>) =>
      writeRefreshToken(KEYRING.signing, { ...read, ...change });
    for (const token of [
      rewrite({ secret: randomBytes(32) }),
      rewrite({ generation: 2 }),
      rewrite({ generation: 0xffff_fffe }),
      rewrite({ sessionId: sessionIdFrom(randomBytes(16)) }),
    ]) {
      const response = await send("POST", "/api/auth/refresh", { body: { refresh_token: token } });
      expect(await problemOf(response)).toBe("401 refresh_token_invalid");
    }
    expect(await store.snapshot()).toBe(before);
  });
});

/** A server together with the key that its access tokens are signed with. */
async function startWithKey() {
  const store = createMemoryStore();
  const http = await startHttp({ store });
  const onEvent = () => {};
  const { clock } = http;
  const keys = createSigningKeys({
    store,
    keyring: KEYRING,
    clock,
    random: randomBytes,
    accessTtlMs: 900_000,
    onEvent,
  });
  const { kid, key } = await keys.signer();
  const { access_token } = await http.signIn();
  return { http, keys, kid, key, good: access_token };
}

const part = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

async function badAccessTokens({ http, keys, kid, key, good }: Awaited<ReturnType<typeof startWithKey>>) {
  const [header = "", payload = "", signature = ""] = good.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const { exp: _, ...endless } = claims;
  const now = Math.floor(http.clock.now() / 1000);
  const [jwk] = (await keys.jwks()).keys;
  const typ = "at+jwt";
  const signed = (body: object, head: object = {}) =>
    new SignJWT(body as Record<string, unknown>)
      .setProtectedHeader({ alg: "EdDSA", typ, kid, ...head })
      .sign(key);
  const rawSigned = (head: string, body: string) => {
    const input = `${part(head)}.${part(body)}`;
    return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
  };
  const hs256 = () => {
    const input = `${part({ alg: "HS256", typ, kid })}.${payload}`;
    return `${input}.${createHmac("sha256", String(jwk?.x)).update(input).digest("base64url")}`;
  };
  const tokens: [string, string][] = [
    ...["none", "None", "NONE", "nOnE"].flatMap((alg): [string, string][] => [
      [`alg ${alg}`, `${part({ alg, typ, kid })}.${payload}.`],
      [`alg ${alg} with a signature`, `${part({ alg, typ, kid })}.${payload}.${signature}`],
    ]),
    ["HS256 with the public key", hs256()],
    ["ES256 in the header", `${part({ alg: "ES256", typ, kid })}.${payload}.${signature}`],
    [
      "Ed25519 in the header",
      await rawSigned(JSON.stringify({ alg: "Ed25519", typ, kid }), JSON.stringify(claims)),
    ],
    ...["../../etc/passwd", "' OR 1=1 --", "a\u0000b", ["x"]].map((id): [string, string] => [
      `kid ${JSON.stringify(id)}`,
      `${part({ alg: "EdDSA", typ, kid: id })}.${payload}.${signature}`,
    ]),
    ["jku", await signed(claims, { jku: "https://evil.example/jwks.json" })],
    ["x5u", await signed(claims, { x5u: "https://evil.example/x" })],
    ["jwk", await signed(claims, { jwk })],
    [
      "crit",
      await rawSigned(JSON.stringify({ alg: "EdDSA", typ, kid, crit: ["x"], x: 1 }), JSON.stringify(claims)),
    ],
    ["typ JWT", await signed(claims, { typ: "JWT" })],
    ["aud with extras", await signed({ ...claims, aud: [claims.aud, "https://other.example"] })],
    ["another aud", await signed({ ...claims, aud: "https://other.example" })],
    ["another iss", await signed({ ...claims, iss: "https://other.example" })],
    ["no exp", await signed(endless)],
    ["iat in the future", await signed({ ...claims, iat: now + 60 })],
    [
      "duplicate claims",
      await rawSigned(
        JSON.stringify({ alg: "EdDSA", typ, kid }),
        JSON.stringify(claims).replace("{", '{"sub":"x",'),
      ),
    ],
    ["one segment", header],
    ["two segments", `${header}.${payload}`],
    ["four segments", `${good}.AAAA`],
    ["five segments", `${good}.AAAA.AAAA`],
    [
      "a 64 KB header",
      `${part({ alg: "EdDSA", typ, kid, pad: "x".repeat(65_536) })}.${payload}.${signature}`,
    ],
    ["padding", `${good}==`],
    ["a space", `${good} .`],
    [
      "trailing bits altered",
      `${good.slice(0, -1)}${good.endsWith("A") ? "B" : nextCharacter(good.slice(-1))}`,
    ],
    ["a signature of zeros", `${header}.${payload}.${"A".repeat(86)}`],
    ["a doubled header", `${good}, Bearer ${good}`],
  ];
  for (const exp of ["9999999999", 1e308, -1, now + 600.5]) {
    const head = JSON.stringify({ alg: "EdDSA", typ, kid });
    tokens.push([`exp ${exp}`, await rawSigned(head, JSON.stringify({ ...claims, exp }))]);
  }
  return tokens;
}

/** The next character of the alphabet: in the last place it differs in the bits that carry nothing. */
function nextCharacter(character: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(character) + 1] ?? "A";
}

test("an access token that is not quite one of ours is refused, and ends nothing", async () => {
  const setup = await startWithKey();
  const { send, store } = setup.http;
  const before = await store.snapshot();
  for (const [name, token] of await badAccessTokens(setup)) {
    const headers = { Authorization: `Bearer ${token}` };
    const response = await send("GET", "/api/auth/session", { headers });
    expect([name, await problemOf(response)]).toEqual([name, "401 access_token_invalid"]);
    expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    expect(await response.text()).not.toContain(token.slice(0, 20));
    if (name === "iat in the future") continue;
    expect((await send("POST", "/api/auth/logout", { headers })).status).toBe(204);
  }
  expect(await store.snapshot()).toBe(before);
  const good = { headers: { Authorization: `Bearer ${setup.good}` } };
  expect((await send("GET", "/api/auth/session", good)).status).toBe(200);
});

const NO_TOKENS = [
  "",
  " ",
  "undefined",
  "null",
  "NULL",
  "false",
  "NaN",
  "[object Object]",
  "[object Promise]",
  '""',
];

test.each(NO_TOKENS)("the bearer token %j is none: the jar beside it counts", async (token) => {
  const { send, browser } = await startHttp();
  const jar = await browser();
  const headers = { Authorization: `Bearer ${token}` };
  expect((await jar.send("GET", "/api/auth/session", { headers })).status).toBe(200);
  expect(await problemOf(await send("GET", "/api/auth/session", { headers }))).toBe(
    "401 access_token_missing",
  );
  const foreign = { ...headers, "Sec-Fetch-Site": "cross-site" };
  expect(await problemOf(await jar.send("DELETE", "/api/auth/sessions", { headers: foreign }))).toBe(
    "403 cross_origin",
  );
  expect((await jar.send("POST", "/api/auth/logout", { headers })).status).toBe(204);
  expect(jar.cookies.size).toBe(0);
});

test.each([
  "garbage",
  "undefined.undefined.undefined",
  "eyJhbGciOiJFZERTQSJ9",
  "undefined, Bearer x",
  "wsr1_",
])("the bearer token %j is a bad one, whatever is beside it", async (token) => {
  const { browser } = await startHttp();
  const jar = await browser();
  const headers = { Authorization: `Bearer ${token}` };
  expect(await problemOf(await jar.send("GET", "/api/auth/session", { headers }))).toBe(
    "401 access_token_invalid",
  );
});
