// Jars into which a neighbour domain or another service has put cookies, jars that have lost some, and jars from before the
// session cookie: each row of the table in docs/protocol.md, with the Cookie header as the server gets it.
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { sessionIdFrom } from "../../packages/wallet-session/src/session-id.ts";
import {
  readRefreshToken,
  writeRefreshToken,
} from "../../packages/wallet-session/src/tokens/refresh-token.ts";
import { createKeyring } from "../../packages/wallet-session/src/tokens/secrets.ts";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { ACCESS_COOKIE, REFRESH_COOKIE, RETRY_COOKIE, SESSION_COOKIE } from "../support/cookies.ts";
import { age, dump, storedSession, withDatabase } from "../support/database.ts";
import { type Answer, problemOf } from "../support/http-client.ts";
import { newRetryKey, type SignedInBrowser } from "../support/session-client.ts";

const app = appUnderTest(() => ({}), startServe);

const BOUNCE = `/api/auth/refresh?${new URLSearchParams({ next: "/streams", else: "/sign-in" })}`;
const ALL = [ACCESS_COOKIE, REFRESH_COOKIE, SESSION_COOKIE, RETRY_COOKIE];

type Cookies = readonly (readonly [name: string, value: string])[];

/** A session of the neighbour's own, whose refresh token it plants. */
let neighbour: SignedInBrowser;
let planted: string;
/** Tokens of a service with another secret and other keys. */
let foreign: { readonly access: string; readonly refresh: string };
beforeAll(async () => {
  neighbour = await app.client.signedInBrowser();
  planted = neighbour.cookies.get(REFRESH_COOKIE) ?? "";
  const other = await startServe();
  const settings = { ...app.server.settings };
  expect(other.settings.AUTH_SECRET).not.toBe(settings.AUTH_SECRET);
  const { createClient } = await import("../support/session-client.ts");
  const stranger = await createClient(other, app.witness).signedInBrowser();
  foreign = {
    access: stranger.cookies.get(ACCESS_COOKIE) ?? "",
    refresh: stranger.cookies.get(REFRESH_COOKIE) ?? "",
  };
  await other.stop();
});

function send(method: string, path: string, cookies: Cookies, more: object = {}): Promise<Answer> {
  const headers = {
    Origin: app.server.publicUrl,
    Cookie: cookies.map(([name, value]) => `${name}=${value}`).join("; "),
  };
  return app.client.send(method, path, { headers, ...more });
}

async function signIn(cookies: Cookies): Promise<Answer> {
  return app.client.send("POST", "/api/auth/wallet", {
    body: await app.client.answerFor(),
    headers: {
      Origin: app.server.publicUrl,
      "Session-Transport": "cookie",
      Cookie: cookies.map(([name, value]) => `${name}=${value}`).join("; "),
    },
  });
}

const fateOf = (sessionId: string) => storedSession(app.server, sessionId).revokedReason;
const namesSet = ({ setCookies }: Answer) => setCookies.map((line) => line.slice(0, line.indexOf("=")));
const isCleared = ({ setCookies }: Answer) => setCookies.every((line) => /^[^=]+=; Max-Age=0;/.test(line));
const REFUSED_INVALID = ["401 refresh_token_invalid", []];

/** What a page load comes to. */
async function loads(cookies: Cookies) {
  const answer = await send("GET", BOUNCE, cookies);
  return { to: answer.headers.get("location"), set: namesSet(answer) };
}

describe.each<[string, () => Cookies, () => Cookies]>([
  ["a neighbour's token in front", () => [[REFRESH_COOKIE, planted]], () => []],
  ["a neighbour's token behind", () => [], () => [[REFRESH_COOKIE, planted]]],
  [
    "many cookies of a neighbour",
    () => [
      [REFRESH_COOKIE, "garbage"],
      [REFRESH_COOKIE, planted],
      [REFRESH_COOKIE, ""],
    ],
    () => [[REFRESH_COOKIE, `${planted.slice(0, -1)}-`]],
  ],
  [
    "cookies of another service",
    () => [[REFRESH_COOKIE, foreign.refresh]],
    () => [
      [ACCESS_COOKIE, foreign.access],
      [REFRESH_COOKIE, foreign.refresh],
    ],
  ],
])("a jar of ours, with %s, works as if they were not there", (_, before, after) => {
  const around = (jar: SignedInBrowser): Cookies => [...before(), ...jar.cookies, ...after()];
  async function jarToRenew() {
    const jar = await app.client.signedInBrowser();
    jar.cookies.delete(ACCESS_COOKIE);
    return jar;
  }

  test("a refresh renews it, and so does a page load", async () => {
    const jar = await jarToRenew();
    jar.cookies.set(RETRY_COOKIE, newRetryKey());
    const answer = await send("POST", "/api/auth/refresh", around(jar));
    expect([answer.status, answer.json.session_id, namesSet(answer)]).toEqual([200, jar.sessionId, ALL]);
    const another = await jarToRenew();
    expect(await loads(around(another))).toEqual({ to: "/streams", set: ALL });
    expect(storedSession(app.server, another.sessionId).generation).toBe(2);
  });

  test("guarded routes let it in", async () => {
    const jar = await app.client.signedInBrowser();
    expect((await send("GET", "/api/auth/session", around(jar))).json.session_id).toBe(jar.sessionId);
    expect((await send("GET", "/api/auth/sessions", around(jar))).status).toBe(200);
    expect((await send("GET", "/api/auth/alarms", around(jar))).status).toBe(200);
    expect((await send("DELETE", "/api/auth/sessions", around(jar))).json).toEqual({ revoked: 0 });
    const ended = await send("DELETE", `/api/auth/sessions/${jar.sessionId}`, around(jar));
    expect([ended.status, isCleared(ended), fateOf(jar.sessionId)]).toEqual([204, true, "ended"]);
  });

  test("a sign-out ends its session alone, and clears it", async () => {
    const jar = await app.client.signedInBrowser();
    const answer = await send("POST", "/api/auth/logout", around(jar));
    expect([answer.status, isCleared(answer), fateOf(jar.sessionId)]).toEqual([204, true, "logout"]);
    expect(namesSet(answer)).toEqual(expect.arrayContaining([REFRESH_COOKIE, SESSION_COOKIE, RETRY_COOKIE]));
    expect(fateOf(neighbour.sessionId)).toBeNull();
  });

  test("a sign-in replaces it", async () => {
    const jar = await app.client.signedInBrowser();
    const answer = await signIn(around(jar));
    expect([answer.status, namesSet(answer), fateOf(jar.sessionId)]).toEqual([200, ALL, "replaced"]);
    expect(fateOf(neighbour.sessionId)).toBeNull();
  });
});

describe("a jar whose session is over", () => {
  async function endedJar(reason = "expired") {
    const jar = await app.client.signedInBrowser();
    if (reason === "expired") age(app.server, jar.sessionId, "idle_expires_at");
    else await jar.sendUnheard("POST", "/api/auth/logout");
    return jar;
  }

  test.each(["expired", "revoked"])("%s: a refresh says so and clears it", async (reason) => {
    const jar = await endedJar(reason);
    const answer = await send("POST", "/api/auth/refresh", [[REFRESH_COOKIE, planted], ...jar.cookies]);
    expect(problemOf(answer)).toBe(`401 refresh_token_${reason}`);
    expect([namesSet(answer), isCleared(answer)]).toEqual([ALL, true]);
  });

  test("a page load goes to the sign-in page, and its answer, which may come late, clears nothing", async () => {
    const jar = await endedJar();
    expect(await loads([...jar.cookies])).toEqual({ to: "/sign-in?reason=refresh_token_expired", set: [] });
  });

  test("a sign-out is 204 and clears it; a sign-in begins anew", async () => {
    const answer = await send("POST", "/api/auth/logout", [...(await endedJar()).cookies]);
    expect([answer.status, namesSet(answer), isCleared(answer)]).toEqual([204, ALL, true]);
    expect((await signIn([...(await endedJar()).cookies])).status).toBe(200);
  });
});

describe("a jar whose refresh cookie is not ours, or gone, beside an access cookie of ours", () => {
  const KINDS: [string, () => Cookies][] = [
    ["planted", () => [[REFRESH_COOKIE, planted]]],
    ["another service's", () => [[REFRESH_COOKIE, foreign.refresh]]],
    ["gone", () => []],
  ];
  test.each(KINDS)(
    "%s: it is signed in while the access token lives, and can sign out",
    async (kind, cookies) => {
      const jar = await app.client.signedInBrowser();
      jar.cookies.delete(REFRESH_COOKIE);
      const all = [...jar.cookies, ...cookies()];
      const before = dump(app.server);
      const refusal = await send("POST", "/api/auth/refresh", all);
      const code = kind === "gone" ? "missing" : "invalid";
      expect([problemOf(refusal), refusal.setCookies]).toEqual([`401 refresh_token_${code}`, []]);
      expect(await loads(all)).toEqual({ to: "/streams", set: [] });
      expect((await send("GET", "/api/auth/session", all)).json.session_id).toBe(jar.sessionId);
      expect(dump(app.server)).toBe(before);
      const answer = await send("POST", "/api/auth/logout", all);
      expect([answer.status, fateOf(jar.sessionId)]).toEqual([204, "logout"]);
      const kept = kind === "another service's" ? [ACCESS_COOKIE, SESSION_COOKIE] : ALL;
      expect([namesSet(answer), isCleared(answer)]).toEqual([kept, true]);
      neighbour = await app.client.signedInBrowser();
      planted = neighbour.cookies.get(REFRESH_COOKIE) ?? "";
    },
  );
});

describe("a jar that holds only refresh cookies that do not count", () => {
  const KINDS: [string, () => Cookies][] = [
    ["one, of a neighbour", () => [[REFRESH_COOKIE, planted]]],
    [
      "two, of a neighbour",
      () => [
        [REFRESH_COOKIE, planted],
        [REFRESH_COOKIE, "garbage"],
      ],
    ],
    [
      "one, beside the name of a session that has been pushed out",
      () => [
        [REFRESH_COOKIE, planted],
        [SESSION_COOKIE, "A".repeat(22)],
      ],
    ],
    [
      "those of another service",
      () => [
        [REFRESH_COOKIE, foreign.refresh],
        [ACCESS_COOKIE, foreign.access],
      ],
    ],
  ];
  test.each(KINDS)("%s: nobody is signed in by them", async (_, cookies) => {
    const before = dump(app.server);
    const refusal = await send("POST", "/api/auth/refresh", cookies());
    expect([problemOf(refusal), refusal.setCookies]).toEqual(REFUSED_INVALID);
    expect(await loads(cookies())).toEqual({ to: "/sign-in", set: [] });
    expect((await send("GET", "/api/auth/sessions", cookies())).status).toBe(401);
    expect(dump(app.server)).toBe(before);
  });

  test.each(KINDS)("%s: a sign-in heals it for good", async (_, cookies) => {
    const answer = await signIn(cookies());
    expect([answer.status, namesSet(answer)]).toEqual([200, ALL]);
    const own = answer.setCookies.slice(1, 3).map((line) => {
      const [pair = ""] = line.split(";");
      return [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const;
    });
    const renewed = await send("POST", "/api/auth/refresh", [
      ...cookies().filter(([name]) => name === REFRESH_COOKIE),
      ...own,
    ]);
    expect([renewed.status, renewed.json.session_id]).toEqual([200, answer.json.session_id]);
    neighbour = await app.client.signedInBrowser();
    planted = neighbour.cookies.get(REFRESH_COOKIE) ?? "";
  });

  test("a sign-out is 204, and ends what this service has written: it may have been the jar's own", async () => {
    const jar = await app.client.signedInBrowser();
    const left: Cookies = [[REFRESH_COOKIE, jar.cookies.get(REFRESH_COOKIE) ?? ""]];
    const answer = await send("POST", "/api/auth/logout", left);
    expect([answer.status, namesSet(answer), fateOf(jar.sessionId)]).toEqual([204, ALL, "logout"]);
  });

  test("a sign-out clears nothing of another service", async () => {
    const cookies: Cookies = [
      [ACCESS_COOKIE, foreign.access],
      [REFRESH_COOKIE, foreign.refresh],
      [SESSION_COOKIE, "B".repeat(21).concat("A")],
    ];
    const answer = await send("POST", "/api/auth/logout", cookies);
    expect([answer.status, answer.setCookies]).toEqual([204, []]);
  });

  test("a spent one still raises the alarm", async () => {
    const jar = await app.client.signedInBrowser();
    const spent = jar.cookies.get(REFRESH_COOKIE) ?? "";
    for (let i = 0; i < 2; i++) {
      jar.cookies.delete(ACCESS_COOKIE);
      await jar.send("POST", "/api/auth/refresh");
    }
    const answer = await send("POST", "/api/auth/refresh", [[REFRESH_COOKIE, spent]]);
    expect([problemOf(answer), answer.setCookies]).toEqual(["401 refresh_token_reused", []]);
    expect(fateOf(jar.sessionId)).toBe("reuse");
  });
});

describe("a jar from before the session cookie", () => {
  /** As an older version has left it: its row has an id without the mark. */
  async function olderJar(): Promise<{ readonly sessionId: string; readonly token: string }> {
    const jar = await app.client.signedInBrowser();
    const keyring = createKeyring((app.server.settings.AUTH_SECRET ?? "").split(","));
    const read = readRefreshToken(keyring, jar.cookies.get(REFRESH_COOKIE) ?? "");
    if (read === null) throw new Error("not a token of the server");
    const bytes = randomBytes(16);
    withDatabase(app.server, (database) =>
      database
        .prepare("UPDATE sessions SET id = ? WHERE id = ?")
        .run(bytes, Buffer.from(jar.sessionId, "base64url")),
    );
    const sessionId = sessionIdFrom(bytes);
    return { sessionId, token: writeRefreshToken(keyring.signing, { ...read, sessionId }) };
  }

  test("is renewed, beside planted cookies too, and is tied by the answer", async () => {
    const { sessionId, token } = await olderJar();
    const answer = await send("POST", "/api/auth/refresh", [
      [REFRESH_COOKIE, planted],
      [REFRESH_COOKIE, token],
    ]);
    expect([answer.status, namesSet(answer)]).toEqual([200, ALL]);
    expect(answer.setCookies[2]).toMatch(new RegExp(`^${SESSION_COOKIE}=${sessionId}; `));
  });

  test("is renewed by a page load, and beside the name that an older node has left there", async () => {
    expect(await loads([[REFRESH_COOKIE, (await olderJar()).token]])).toEqual({ to: "/streams", set: ALL });
    const { token } = await olderJar();
    const stale = [SESSION_COOKIE, neighbour.sessionId] as const;
    expect(await loads([[REFRESH_COOKIE, token], stale])).toEqual({ to: "/streams", set: ALL });
  });

  test("is ended by a sign-out, and replaced by a sign-in", async () => {
    const [one, other] = [await olderJar(), await olderJar()];
    const answer = await send("POST", "/api/auth/logout", [[REFRESH_COOKIE, one.token]]);
    expect([answer.status, isCleared(answer), fateOf(one.sessionId)]).toEqual([204, true, "logout"]);
    await signIn([[REFRESH_COOKIE, other.token]]);
    expect(fateOf(other.sessionId)).toBe("replaced");
  });
});
