import { expect, test } from "vitest";
import { SessionError } from "wallet-session";
import { bearer, get, ORIGIN, signedIn } from "../api/auth/routes.fixture.ts";
import {
  demoWalletAllowed,
  guard,
  issueRefreshToken,
  problem,
  refreshLeewaySeconds,
  revokeRefreshToken,
  rotateRefreshToken,
  signAccessToken,
  verifyAccessToken,
  verifyRefreshToken,
} from "./auth.ts";

const ACTOR = "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H";
const CLIENT = { browser: null, os: null, device: null, ip: null };

function issue() {
  const challenge = { id: crypto.randomUUID(), expiresAt: Date.now() + 300_000 };
  return issueRefreshToken({ actorId: ACTOR, challenge }, { transport: "body", client: CLIENT });
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no error",
    (error) => (error instanceof SessionError ? error.code : String(error)),
  );
}

test("access tokens: signed for a living session, verified, refused once it has ended", async () => {
  const { session, refreshToken } = await issue();
  const token = await signAccessToken(session.id);
  expect(await verifyAccessToken(token)).toMatchObject({ actorId: ACTOR, sessionId: session.id });
  expect(await codeOf(verifyAccessToken(`${token}=`))).toBe("access_token_invalid");
  await revokeRefreshToken(refreshToken);
  expect(await codeOf(verifyAccessToken(token))).toBe("session_revoked");
  expect(await codeOf(signAccessToken(session.id))).toBe("session_revoked");
});

test("refresh tokens: issued, verified, rotated, revoked", async () => {
  const { refreshToken, session } = await issue();
  expect((await verifyRefreshToken(refreshToken)).id).toBe(session.id);
  const request = { presentedBy: "body", retryKey: null, jarAccessToken: null } as const;
  const rotated = await rotateRefreshToken({ token: refreshToken, ...request });
  if (rotated.outcome !== "rotated") throw new Error(rotated.outcome);
  const successor = rotated.tokens.refreshToken;
  expect(await codeOf(verifyRefreshToken(refreshToken))).toBe("refresh_token_invalid");
  expect((await verifyRefreshToken(successor)).generation).toBe(2);
  expect(await revokeRefreshToken(successor)).toBe(true);
  expect(await revokeRefreshToken(successor)).toBe(false);
  expect(await codeOf(rotateRefreshToken({ token: successor, ...request }))).toBe("refresh_token_revoked");
});

test("the guard of the app's own routes", async () => {
  const { access_token, session_id } = await signedIn();
  const request = get("/api/anything", bearer(access_token));
  expect((await guard(request, { fresh: true })).sessionId).toBe(session_id);
  const error = await guard(new Request(ORIGIN)).catch((thrown: unknown) => thrown);
  const response = problem(error);
  expect([response.status, (await response.json()).code]).toEqual([401, "access_token_missing"]);
});

test("what the pages need to know of the settings", () => {
  expect(demoWalletAllowed()).toBe(true);
  expect(refreshLeewaySeconds()).toBe(30);
});
