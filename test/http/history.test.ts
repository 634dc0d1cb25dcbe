// The checker of histories must itself be able to fail: one broken promise each.
import { expect, test } from "vitest";
import { type Answered, type Exchange, type History, violations } from "../support/instances/history.ts";

const plain: Answered = { status: 200, code: null, retryAfter: false, clearsCookies: false, successor: null };
const rotated = (generation: number, token = `t${generation}`): Answered => ({
  ...plain,
  successor: { generation, token },
});
const refused = (code: string): Answered => ({ ...plain, status: 401, code });
let clock = 0;
const exchange = (
  kind: Exchange["kind"],
  answer: Answered | null,
  given: Partial<Exchange> = {},
): Exchange => {
  clock += 10;
  return {
    kind,
    sessionId: "s",
    generation: 1,
    instance: 0,
    begunAt: clock,
    endedAt: clock + 5,
    answer,
    ...given,
  };
};
const history = (exchanges: Exchange[], generation = 2, revokedReason: string | null = null): History => ({
  storeAwayMs: 0,
  exchanges,
  signIns: [{ challenge: "c", sessionId: "s" }],
  stored: new Map([["s", { generation, revokedReason }]]),
});

test("a session that is renewed, retried and ended breaks nothing", () => {
  const lost = exchange("refresh", null);
  const unavailable = exchange("refresh", { ...plain, status: 503, retryAfter: true });
  const retried = [exchange("refresh", rotated(2)), exchange("refresh", rotated(2))];
  const ended = exchange("end", { ...plain, status: 204 });
  const after = [
    exchange("refresh", refused("refresh_token_revoked"), { generation: 2 }),
    exchange("check", plain),
    exchange("check", refused("session_revoked")),
  ];
  expect(violations(history([lost, unavailable, ...retried, ended, ...after], 2, "logout"))).toEqual([]);
  expect(violations(history([lost], 1))).toEqual([]);
  expect(violations(history([lost], 2))).toEqual([]);
});

test("a theft that is found ends the session, once", () => {
  const exchanges = [exchange("refresh", rotated(2)), exchange("theft", refused("refresh_token_reused"))];
  expect(violations(history(exchanges, 2, "reuse"))).toEqual([]);
  expect(
    violations(history([...exchanges, exchange("theft", refused("refresh_token_reused"))], 2, "reuse")),
  ).toEqual(["s: 2 alarms for one session"]);
  expect(violations(history(exchanges, 2, "logout"))).toEqual(["s: an alarm, stored as logout"]);
});

test.each<[string, () => History]>([
  [
    "refresh of generation 1: refresh_token_reused without a cause",
    () => {
      const exchanges = [
        exchange("refresh", refused("refresh_token_reused")),
        exchange("end", { ...plain, status: 204 }),
      ];
      return history(exchanges, 1, "reuse");
    },
  ],
  [
    "check of generation 1: session_revoked without a cause",
    () => history([exchange("check", refused("session_revoked"))], 1),
  ],
  [
    "refresh of generation 1: null without a cause",
    () => history([exchange("refresh", { ...rotated(2), clearsCookies: true })]),
  ],
  [
    "refreshed after an acknowledged end",
    () => history([exchange("end", { ...plain, status: 204 }), exchange("refresh", rotated(2))], 2, "logout"),
  ],
  [
    "access token good 5010 ms after the end",
    () => {
      const end = exchange("end", { ...plain, status: 204 });
      return history([end, exchange("check", plain, { begunAt: end.endedAt + 5_010 })], 1, "logout");
    },
  ],
  [
    "two tokens of generation 2",
    () => history([exchange("refresh", rotated(2)), exchange("refresh", rotated(2, "another"))]),
  ],
  ["generation 1 was followed by 3", () => history([exchange("refresh", rotated(3))], 3)],
  ["generation 2 was given out, 1 is stored", () => history([exchange("refresh", rotated(2))], 1)],
  ["generation 4 is stored, 2 was the last asked for", () => history([exchange("refresh", rotated(2))], 4)],
  ["its acknowledged end is not stored", () => history([exchange("end", { ...plain, status: 204 })], 1)],
  ["stored as reuse, without a cause", () => history([exchange("refresh", rotated(2))], 2, "reuse")],
  ["its row is gone", () => ({ ...history([exchange("check", plain)]), stored: new Map() })],
  [
    "check on instance 0: 500 internal_error",
    () => history([exchange("check", { ...plain, status: 500, code: "internal_error" })], 1),
  ],
  [
    "check on instance 0: a 503 that is not a plain 503",
    () => history([exchange("check", { ...plain, status: 503 })], 1),
  ],
])("finds: %s", (what, make) => {
  expect(violations(make())).toContain(`s: ${what}`);
});

test("does not count the time in which the store was away", () => {
  const end = exchange("end", { ...plain, status: 204 });
  const check = exchange("check", plain, { begunAt: end.endedAt + 6_000 });
  const heard = history([end, check], 1, "logout");
  expect(violations({ ...heard, storeAwayMs: 1_000 })).toEqual([]);
  expect(violations({ ...heard, storeAwayMs: 999 })).toEqual(["s: access token good 6000 ms after the end"]);
});

test("finds two sessions of one challenge", () => {
  const signIns = [
    { challenge: "c", sessionId: "s" },
    { challenge: "c", sessionId: "r" },
  ];
  expect(violations({ storeAwayMs: 0, exchanges: [], signIns, stored: new Map() })).toEqual([
    "one challenge made 2 sessions: c",
  ]);
});
