// A stock OAuth client with a DPoP key, through 10,000 refreshes over a network that loses one request in twenty, and one answer
// in twenty. It keeps no retry key: the same key is the same party.
import * as openid from "openid-client";
import { expect, test } from "vitest";
import { startServe } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { discovered, INTROSPECTION_CLIENTS, INTROSPECTOR, signInWith } from "../support/oauth-clients.ts";

const REFRESHES = 10_000;
const LOST = 1 / 20;

const app = appUnderTest(() => ({ INTROSPECTION_CLIENTS }), startServe);

test("10,000 refreshes by openid-client with DPoP, through losses both ways: the session goes on", async () => {
  const config = await discovered(app.server);
  const keys = await openid.randomDPoPKeyPair("ES256");
  const DPoP = openid.getDPoPHandle(config, keys);
  const lost = { requests: 0, answers: 0 };
  const lose = (kind: keyof typeof lost) => {
    if (Math.random() >= LOST) return;
    lost[kind] += 1;
    throw new TypeError("lost on its way");
  };
  config[openid.customFetch] = async (url, { headers, body, method }) => {
    lose("requests");
    const response = await fetch(url, { headers, body: String(body), method });
    lose("answers");
    return response;
  };
  const { refreshToken, sessionId } = await signInWith(app, keys);
  let newest = refreshToken;
  for (let refreshes = 0; refreshes < REFRESHES; ) {
    try {
      newest = (await openid.refreshTokenGrant(config, newest, {}, { DPoP })).refresh_token ?? "";
      refreshes += 1;
    } catch (error) {
      // What says that there was an answer is none of the network's doing.
      if (
        !(error instanceof TypeError) &&
        !(error instanceof openid.ClientError && error.cause instanceof TypeError)
      )
        throw error;
    }
  }
  console.log(`lost ${lost.requests} requests and ${lost.answers} answers`);
  expect(Math.min(lost.requests, lost.answers)).toBeGreaterThan(300);
  const introspector = await discovered(app.server, INTROSPECTOR);
  expect(await openid.tokenIntrospection(introspector, newest)).toMatchObject({
    active: true,
    sid: sessionId,
  });
  expect(app.server.output()).not.toMatch(/reuse_detected|proof_failed|"event":"revoked"/);
}, 1_800_000);
