import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createTestKey, deviceProof, registrationProof } from "../../test/proofs.ts";
import { SessionError } from "../errors.ts";
import { createWalletKeypair } from "../testing/wallet-keypair.ts";
import { COOKIES, problemOf, readJson, startHttp } from "./http.fixture.ts";

const PAYOUT = "/api/payouts/7?to=me";
const ACTION = "pay out 500 XLM from stream 7";
const hashOf = (action: string) => createHash("sha256").update(action).digest("base64url");
const ACTION_HASH = hashOf(ACTION);

type Key = ReturnType<typeof createWalletKeypair>;

async function start(maxAgeSeconds = 0) {
  const http = await startHttp();
  const { handlers, send } = http;
  const endpoint = handlers.endpoint("/api/payouts/{id}", {
    async POST(request) {
      const session = await handlers.guard(request);
      const instead = await handlers.stepUp(request, session, { action: ACTION, maxAgeSeconds });
      return instead ?? Response.json({ paid: true });
    },
  });
  const pay = (headers: Record<string, string>) =>
    endpoint(new Request(`https://pay.example.com${PAYOUT}`, { method: "POST", headers }));
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  /** The wallet's answer to a challenge for the action, for the header. */
  async function signature(key: Key, action = ACTION_HASH) {
    const query = new URLSearchParams({ account: key.account, ...(action && { action }) });
    const challenge = await readJson(await send("GET", `/api/auth/wallet?${query}`));
    return { transaction: key.sign(challenge as unknown as Parameters<Key["sign"]>[0]) };
  }
  const header = (answer: object) => ({
    "Step-Up": Buffer.from(JSON.stringify(answer)).toString("base64url"),
  });
  return { ...http, pay, bearer, signature, header };
}

test("asks for the wallet's signature over the action, and takes it once", async () => {
  const { signIn, pay, bearer, signature, header } = await start();
  const key = createWalletKeypair();
  const { access_token } = await signIn(key);
  const asked = await pay(bearer(access_token));
  expect(asked.headers.get("www-authenticate")).toBe('Bearer error="insufficient_user_authentication"');
  expect(await problemOf(asked)).toBe("401 insufficient_user_authentication");
  expect((await readJson(asked)).action).toBe(ACTION_HASH);
  const signed = { ...bearer(access_token), ...header(await signature(key)) };
  expect((await pay(signed)).status).toBe(200);
  expect(await problemOf(await pay(signed))).toBe("401 challenge_used");
});

test("of two requests with one signature at once, one is taken", async () => {
  const { signIn, pay, bearer, signature, header } = await start();
  const key = createWalletKeypair();
  const signed = { ...bearer((await signIn(key)).access_token), ...header(await signature(key)) };
  const answers = await Promise.all([pay(signed), pay(signed), pay(signed)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
});

test("refuses the signature of another account, for another action, for a sign-in, and none at all", async () => {
  const { signIn, pay, bearer, signature, header, clock } = await start();
  const key = createWalletKeypair();
  const access = bearer((await signIn(key)).access_token);
  for (const answer of [
    await signature(createWalletKeypair()),
    await signature(key, hashOf("pay out 501 XLM from stream 7")),
    await signature(key, ""),
  ]) {
    expect(await problemOf(await pay({ ...access, ...header(answer) }))).toBe(
      "401 insufficient_user_authentication",
    );
  }
  const good = await signature(key);
  clock.advance(301_000);
  expect(await problemOf(await pay({ ...access, ...header(good) }))).toBe("401 challenge_expired");
  for (const value of ["garbage", "", Buffer.from("[]").toString("base64url"), "x".repeat(9_000)]) {
    expect(await problemOf(await pay({ ...access, "Step-Up": value }))).toBe("400 invalid_request");
  }
});

test("the signature for an action signs nobody in, and its challenge is not altered unseen", async () => {
  const { send, signature, store } = await start();
  const answer = await signature(createWalletKeypair());
  const before = await store.snapshot();
  expect(await problemOf(await send("POST", "/api/auth/wallet", { body: answer }))).toBe(
    "400 challenge_invalid",
  );
  expect(await store.snapshot()).toBe(before);
  for (const action of ["short", "x".repeat(44), `${ACTION_HASH.slice(1)}+`]) {
    const query = new URLSearchParams({ account: createWalletKeypair().account, action });
    expect(await problemOf(await send("GET", `/api/auth/wallet?${query}`))).toBe("400 invalid_request");
  }
});

test("a sign-in that is young enough will do where the app says so", async () => {
  const { signIn, pay, bearer, clock, engine } = await start(60);
  const { access_token, session_id } = await signIn();
  expect((await pay(bearer(access_token))).status).toBe(200);
  clock.advance(60_000);
  // A refresh makes no sign-in younger.
  for (const token of [access_token, await engine.issueAccessToken(session_id)]) {
    const asked = await pay(bearer(token));
    expect(asked.headers.get("www-authenticate")).toBe(
      'Bearer error="insufficient_user_authentication", max_age=60',
    );
  }
});

test("a browser with a device key proves it by a redirect to the same address, and each proof counts once", async () => {
  const { browser, pay, engine, clock } = await start();
  const jar = await browser();
  const token = () => jar.cookies.get(COOKIES.refresh) ?? "";
  const key = createTestKey();
  const sessions = await engine.listSessions(jar.key.account);
  const registered = await engine.registerDevice(
    token(),
    registrationProof(key, engine.registrationChallenge(sessions[0] ?? fail()) ?? ""),
  );
  async function renew() {
    const prove = (proof: string | null) =>
      engine.refreshDevice(token(), { deviceId: registered.deviceId, proof });
    const asked: unknown = await prove(null).catch((error: unknown) => error);
    const { tokens } = await prove(
      deviceProof(key, asked instanceof SessionError ? (asked.challenge ?? "") : ""),
    );
    jar.cookies.set(COOKIES.refresh, tokens.refreshToken);
    jar.cookies.set(COOKIES.access, tokens.accessToken);
  }
  const payByCookie = () =>
    pay({ "Sec-Fetch-Site": "same-origin", Cookie: `${COOKIES.access}=${jar.cookies.get(COOKIES.access)}` });
  // It is bound to none yet.
  expect(await problemOf(await payByCookie())).toBe("401 insufficient_user_authentication");
  await renew();
  clock.advance(60_000);
  const away = await payByCookie();
  expect(away.status).toBe(307);
  const location = new URL(away.headers.get("location") ?? "", `https://pay.example.com/shop${PAYOUT}`);
  expect(location.pathname + location.search).toBe(`/shop${PAYOUT}`);
  expect(away.headers.getSetCookie()).toEqual([expect.stringMatching(`^${COOKIES.access}=; Max-Age=0;`)]);
  await renew();
  const answers = await Promise.all([payByCookie(), payByCookie()]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 307]);
  // A program with the token in a header cannot be sent round.
  const byHeader = await pay({ Authorization: `Bearer ${jar.cookies.get(COOKIES.access)}` });
  expect(await problemOf(byHeader)).toBe("401 insufficient_user_authentication");
});

function fail(): never {
  throw new Error("there is no session");
}
