import { randomBytes, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { sessionIdFrom } from "../session-id.ts";
import { createMemoryStore } from "../stores/memory.ts";
import { readRefreshToken, writeRefreshToken } from "../tokens/refresh-token.ts";
import { createKeyring } from "../tokens/secrets.ts";
import { codeOf, issued, OTHER_SECRET, SECRET, startEngine, type TestEngine } from "./engine.fixture.ts";
import type { IssuedTokens, JarCookies } from "./session-engine.ts";

const keyring = createKeyring([SECRET]);
const EMPTY: JarCookies = { refreshTokens: [], accessTokens: [], sessionId: null };

let here: TestEngine;
let own: IssuedTokens;
let planted: IssuedTokens;
let store: ReturnType<typeof createMemoryStore>;
beforeEach(async () => {
  store = createMemoryStore();
  here = await startEngine(store);
  own = await here.signIn("cookie");
  planted = await here.signIn("cookie", "G-THE-NEIGHBOUR");
});

/** Signs in as a version did that set no session cookie. */
async function olderSignIn(): Promise<IssuedTokens> {
  const { session, refreshToken } = await here.signIn("cookie");
  const read = readRefreshToken(keyring, refreshToken);
  const id = sessionIdFrom(randomBytes(16));
  if (read === null) throw new Error("not ours");
  await store.createSession({ ...session, id }, { id: randomUUID(), expiresAt: session.expiresAt });
  return {
    ...own,
    session: { ...session, id },
    refreshToken: writeRefreshToken(keyring.signing, { ...read, sessionId: id }),
    accessToken: await here.engine.issueAccessToken(id),
  };
}

async function counting(cookies: Partial<JarCookies>) {
  return (await here.engine.readJar({ ...EMPTY, ...cookies })).refresh?.sessionId ?? null;
}

describe("a refresh token counts", () => {
  test("where the session cookie names its session, whatever is beside it", async () => {
    const both = [planted.refreshToken, "garbage", own.refreshToken];
    const jar = await here.engine.readJar({ ...EMPTY, refreshTokens: both, sessionId: own.session.id });
    expect(jar.refresh?.sessionId).toBe(own.session.id);
    expect(jar.refreshTokens).toEqual([
      { token: planted.refreshToken, sessionId: planted.session.id },
      { token: own.refreshToken, sessionId: own.session.id },
    ]);
  });

  test("where the access token names it, of whatever age", async () => {
    const cookies = { accessTokens: [own.accessToken] };
    const both = [planted.refreshToken, own.refreshToken];
    expect(await counting({ ...cookies, refreshTokens: both })).toBe(own.session.id);
    here.clock.advance(3_600_000);
    expect(await counting({ ...cookies, refreshTokens: both })).toBe(own.session.id);
    expect(await counting({ ...cookies, refreshTokens: [planted.refreshToken] })).toBeNull();
  });

  test("not for being authentic alone, and not for another session's name", async () => {
    const refreshTokens = [planted.refreshToken];
    expect(await counting({ refreshTokens })).toBeNull();
    expect(await counting({ refreshTokens, sessionId: own.session.id })).toBeNull();
  });

  test("not where another service has written it, or changed a byte", async () => {
    const elsewhere = await startEngine(createMemoryStore(), { secrets: [OTHER_SECRET] });
    const foreign = await elsewhere.signIn("cookie");
    for (const token of [foreign.refreshToken, `${own.refreshToken.slice(0, -1)}-`, "", "garbage"]) {
      const { id } = token === foreign.refreshToken ? foreign.session : own.session;
      const jar = await here.engine.readJar({ ...EMPTY, refreshTokens: [token], sessionId: id });
      expect(jar).toMatchObject({ refresh: null, refreshTokens: [] });
    }
    expect((await here.engine.readJar({ ...EMPTY, accessTokens: [foreign.accessToken] })).access).toBeNull();
  });

  test("in its newest generation, where it is there under two paths", async () => {
    const { refreshToken } = await issued(here.refresh(own.refreshToken, { by: "cookie" }));
    const newest = [{ token: refreshToken, sessionId: own.session.id }];
    for (const refreshTokens of [
      [own.refreshToken, refreshToken],
      [refreshToken, own.refreshToken],
    ]) {
      const jar = await here.engine.readJar({ ...EMPTY, refreshTokens, sessionId: own.session.id });
      expect(jar.refreshTokens).toEqual(newest);
    }
    const both = [own.refreshToken, refreshToken];
    const { refresh } = await here.engine.readJar({
      ...EMPTY,
      refreshTokens: both,
      sessionId: own.session.id,
    });
    here.clock.advance(60_000);
    expect(refresh && (await here.engine.refreshJar(refresh)).outcome).toBe("rotated");
  });
});

describe("of a session from before the session cookie it counts", () => {
  test("without a name, and beside a name that an older node has left there", async () => {
    const older = await olderSignIn();
    const refreshTokens = [older.refreshToken, planted.refreshToken, "garbage"];
    expect(await counting({ refreshTokens })).toBe(older.session.id);
    expect(await counting({ refreshTokens, sessionId: own.session.id })).toBe(older.session.id);
    expect(await counting({ refreshTokens, accessTokens: [older.accessToken] })).toBe(older.session.id);
  });

  test("not beside the session that the jar was signed in to, and not beside another one like it", async () => {
    const [older, another] = [await olderSignIn(), await olderSignIn()];
    const refreshTokens = [older.refreshToken, own.refreshToken];
    expect(await counting({ refreshTokens, sessionId: own.session.id })).toBe(own.session.id);
    expect(
      await counting({ refreshTokens: [older.refreshToken], accessTokens: [own.accessToken] }),
    ).toBeNull();
    expect(await counting({ refreshTokens: [older.refreshToken, another.refreshToken] })).toBeNull();
  });
});

test("access tokens of two sessions are none", async () => {
  const jar = await here.engine.readJar({ ...EMPTY, accessTokens: [own.accessToken, planted.accessToken] });
  expect(jar.access).toBeNull();
  const sole = await here.engine.readJar({ ...EMPTY, accessTokens: ["garbage", own.accessToken] });
  expect(sole.access).toEqual({ token: own.accessToken, sessionId: own.session.id });
});

describe("a refresh token that does not count", () => {
  const refuse = async (refreshTokens: string[], retryKey: string | null = null) =>
    here.engine.refuseJar(await here.engine.readJar({ ...EMPTY, refreshTokens }), { retryKey });
  const whys = () => here.events.flatMap((event) => (event.type === "refresh_refused" ? [event.why] : []));

  test("is refused without a change, also as a retry, and of several none is looked at", async () => {
    const before = await store.findSession(own.session.id);
    await refuse([own.refreshToken]);
    expect(await store.findSession(own.session.id)).toEqual(before);
    const key = "a-retry-key-of-enough-characters";
    await here.refresh(own.refreshToken, { by: "cookie", retryKey: key });
    here.clock.advance(3_600_000);
    await refuse([own.refreshToken], key);
    await refuse([own.refreshToken, planted.refreshToken]);
    await refuse(["garbage"]);
    expect(whys()).toEqual(["untied", "untied", "untied", "malformed"]);
    expect(here.alarms()).toEqual([]);
  });

  test("still raises the alarm when it is spent, and says that its session is over", async () => {
    await here.refresh(own.refreshToken, { by: "cookie" });
    here.clock.advance(3_600_000);
    await refuse([own.refreshToken]);
    expect(here.alarms()).toMatchObject([{ sessionId: own.session.id }]);
    await refuse([own.refreshToken]);
    here.clock.advance(8 * 86_400_000);
    await refuse([planted.refreshToken]);
    await refuse([
      writeRefreshToken(keyring.signing, {
        sessionId: sessionIdFrom(randomBytes(16)),
        generation: 1,
        secret: randomBytes(32),
      }),
    ]);
    expect(whys()).toEqual(["reused", "revoked", "expired", "unknown_row"]);
    expect(await codeOf(here.refresh(own.refreshToken, { by: "cookie" }))).toBe("refresh_token_revoked");
  });
});
