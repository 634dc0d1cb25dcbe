import { expect, test } from "vitest";
import type { SessionId } from "../session-id.ts";
import type { SessionStore } from "../store.ts";
import { create, sessionId } from "../testing/store-conformance-fixtures.ts";
import { storeInFile, type } from "./cli.fixture.ts";

const NOW = Date.now();
const HOUR = 3_600_000;
const CLIENT = { browser: "Firefox 140", os: "Linux", device: null, ip: "203.0.113.0" };

/** A session that was signed in two hours ago and refreshed one ago. */
async function signedIn(
  store: SessionStore,
  label: string,
  actorId: string,
  client = CLIENT,
): Promise<SessionId> {
  await create(store, label, {
    actorId,
    client,
    createdAt: NOW - 2 * HOUR,
    rotatedAt: NOW - HOUR,
    idleExpiresAt: NOW + 100 * HOUR,
    expiresAt: NOW + 500 * HOUR,
  });
  return sessionId(label);
}

test("lists an actor's live sessions and those that a reuse ended, in columns", async () => {
  const { env, store } = storeInFile();
  const live = await signedIn(store, "a", "GA");
  const stolen = await signedIn(store, "b", "GA", { ...CLIENT, browser: "\u001b[2JEvil" });
  await signedIn(store, "c", "GB");
  const left = await signedIn(store, "d", "GA");
  await store.revokeSession(stolen, { reason: "reuse", revokedAt: NOW });
  await store.revokeSession(left, { reason: "logout", revokedAt: NOW });
  const { code, out, notes } = await type("sessions list --actor GA", env);
  const minute = `${new Date(NOW - 2 * HOUR).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  expect([code, notes]).toEqual([0, []]);
  expect(out).toEqual([
    "ID                      STATE         CREATED               LAST ACTIVE  CLIENT                           TRANSPORT  GENERATION",
    `${live}  live          ${minute}  1 h ago      Firefox 140, Linux, 203.0.113.0  body       1`,
    `${stolen}  ended: reuse  ${minute}  1 h ago      ?[2JEvil, Linux, 203.0.113.0     body       1`,
  ]);
  const json = JSON.parse((await type("sessions list --actor GA --json", env)).out.join("\n"));
  expect(json).toEqual({
    actor_id: "GA",
    sessions: [
      {
        id: live,
        state: "live",
        revoked_at: null,
        revoked_reason: null,
        created_at: new Date(NOW - 2 * HOUR).toISOString(),
        last_active_at: new Date(NOW - HOUR).toISOString(),
        idle_expires_at: new Date(NOW + 100 * HOUR).toISOString(),
        expires_at: new Date(NOW + 500 * HOUR).toISOString(),
        generation: 1,
        transport: "body",
        binding: null,
        client: CLIENT,
      },
      expect.objectContaining({ id: stolen, state: "ended", revoked_reason: "reuse" }),
    ],
  });
});

test("who has no session is told so; in JSON the list is empty", async () => {
  const { env } = storeInFile();
  expect(await type("sessions list --actor GX", env)).toMatchObject({
    code: 0,
    out: [],
    notes: ["GX has no live session."],
  });
  expect((await type("sessions list --actor GX --json", env)).out).toEqual([
    '{"actor_id":"GX","sessions":[]}',
  ]);
});

test("more sessions than one list holds: the newest, and a word about it", async () => {
  const { env, store } = storeInFile();
  await Promise.all(Array.from({ length: 201 }, (_, index) => signedIn(store, `s${index}`, "GA")));
  const { out, notes } = await type("sessions list --actor GA", env);
  expect(out).toHaveLength(201);
  expect(notes).toEqual(["These are the newest 200 sessions; there may be more."]);
});

test("ends one session, once, by its id", async () => {
  const { env, store } = storeInFile();
  const id = await signedIn(store, "a", "GA");
  const other = await signedIn(store, "b", "GA");
  expect(await type(`sessions revoke ${id}`, env)).toMatchObject({
    code: 0,
    out: [`Session ${id} has ended.`],
  });
  expect(await store.findSession(id)).toMatchObject({ revokedReason: "admin" });
  expect(await store.findSession(other)).toMatchObject({ revokedReason: null });
  const again = await type(`sessions revoke ${id}`, env);
  expect([again.code, again.out]).toEqual([
    0,
    [expect.stringMatching(`^Session ${id} had ended already: admin, 2`)],
  ]);
  expect((await type(`sessions revoke ${id} --json`, env)).out).toEqual(['{"revoked":0}']);
});

test("an id that names nothing is 3, one that is none is 2, and one may begin with a dash", async () => {
  const { env, store } = storeInFile();
  expect(await type("sessions revoke AAAAAAAAAAAAAAAAAAAAAA", env)).toMatchObject({
    code: 3,
    notes: ["There is no session AAAAAAAAAAAAAAAAAAAAAA."],
  });
  for (const line of ["short", "--actor GA --all", "", "AAAAAAAAAAAAAAAAAAAAAA --all"]) {
    expect(await type(`sessions revoke ${line}`, env)).toMatchObject({ code: 2, out: [] });
  }
  const id = `--${"A".repeat(20)}` as SessionId;
  await create(store, "a", { id, actorId: "GA", idleExpiresAt: NOW + HOUR, expiresAt: NOW + HOUR });
  expect(await type(`sessions revoke ${id} --json`, env)).toMatchObject({ code: 0, out: ['{"revoked":1}'] });
});

test("ends all sessions of an actor", async () => {
  const { env, store } = storeInFile();
  await signedIn(store, "a", "GA");
  await signedIn(store, "b", "GA");
  const other = await signedIn(store, "c", "GB");
  expect((await type("sessions revoke --actor GA", env)).out).toEqual(["2 sessions of GA ended."]);
  expect((await type("sessions revoke --actor GA", env)).out).toEqual(["0 sessions of GA ended."]);
  expect(await store.findSession(other)).toMatchObject({ revokedReason: null });
});

test("ends all there are, in batches, and only by --yes where nobody can be asked", async () => {
  const { env, store } = storeInFile();
  await Promise.all(Array.from({ length: 1_001 }, (_, index) => signedIn(store, `s${index}`, `G${index}`)));
  const refused = await type("sessions revoke --all", env);
  expect([refused.code, refused.notes[0]]).toEqual([1, expect.stringContaining("add --yes")]);
  expect(await store.countSessions(NOW)).toBe(1_001);
  expect(await type("sessions revoke --all --yes", env)).toMatchObject({
    code: 0,
    out: ["1,001 sessions ended."],
  });
  expect(await store.countSessions(NOW)).toBe(0);
});

test("the person at the terminal is asked, and a no changes nothing", async () => {
  const { env, store } = storeInFile();
  const id = await signedIn(store, "a", "GA");
  const lines = [`sessions revoke ${id}`, "sessions revoke --actor GA", "sessions revoke --all"];
  const asked = [];
  for (const line of lines) {
    const { code, notes, questions } = await type(line, env, false);
    expect([code, notes]).toEqual([1, ["Nothing was changed."]]);
    asked.push(...questions);
  }
  expect(asked).toEqual([
    `End session ${id}?`,
    "End all sessions of GA?",
    "End all 1 session? Everybody has to sign in again.",
  ]);
  expect(await store.findSession(id)).toMatchObject({ revokedReason: null });
  expect((await type("sessions revoke --all", env, true)).out).toEqual(["1 session ended."]);
});
