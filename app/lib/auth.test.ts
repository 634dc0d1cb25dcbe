import { expect, test } from "vitest";
import { SessionError, type SessionId } from "wallet-session";
import { createWalletKeypair } from "wallet-session/testing";
import { signedIn } from "../api/auth/routes.fixture.ts";
import {
  demoWalletAllowed,
  revokeRefreshToken,
  rotateRefreshToken,
  signAccessToken,
  verifyAccessToken,
  verifyRefreshToken,
} from "./auth.ts";

async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "no error",
    (error) => (error instanceof SessionError ? error.code : String(error)),
  );
}

test("access tokens: signed for a living session, verified, refused once it has ended", async () => {
  const wallet = createWalletKeypair();
  const { session_id, refresh_token } = await signedIn(wallet);
  const token = await signAccessToken(session_id as SessionId);
  expect(await verifyAccessToken(token)).toMatchObject({ actorId: wallet.account, sessionId: session_id });
  expect(await codeOf(verifyAccessToken(`${token}=`))).toBe("access_token_invalid");
  await revokeRefreshToken(refresh_token);
  expect(await codeOf(verifyAccessToken(token))).toBe("session_revoked");
  expect(await codeOf(signAccessToken(session_id as SessionId))).toBe("session_revoked");
});

test("refresh tokens: issued, verified, rotated, revoked", async () => {
  const { refresh_token, session_id } = await signedIn();
  expect((await verifyRefreshToken(refresh_token)).id).toBe(session_id);
  const rotated = await rotateRefreshToken(refresh_token);
  if (rotated.outcome !== "rotated") throw new Error(rotated.outcome);
  const successor = rotated.tokens.refreshToken;
  expect(await codeOf(verifyRefreshToken(refresh_token))).toBe("refresh_token_invalid");
  expect((await verifyRefreshToken(successor)).generation).toBe(2);
  expect(await revokeRefreshToken(successor)).toBe(true);
  expect(await revokeRefreshToken(successor)).toBe(false);
  expect(await codeOf(rotateRefreshToken(successor))).toBe("refresh_token_revoked");
});

test("the demo wallet is there outside production", () => {
  expect(demoWalletAllowed()).toBe(true);
});
