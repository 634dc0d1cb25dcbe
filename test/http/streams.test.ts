// Payment streams over HTTP, against the built app: two people, a stranger, many requests at once, lost processes.
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { createWalletKeypair, type WalletKeypair } from "wallet-session/testing";
import { type AppServer, startApp } from "../support/app-server.ts";
import { appUnderTest } from "../support/app-under-test.ts";
import { type EventStream, openEventStream, type StreamEvent } from "../support/event-stream.ts";
import { type Answer, problemOf, textOf } from "../support/http-client.ts";
import { bearer, newRetryKey } from "../support/session-client.ts";

const AT_ONCE = 20;

const app = appUnderTest(() => ({}));

interface Person {
  readonly key: WalletKeypair;
  readonly headers: Readonly<Record<string, string>>;
}

async function person(): Promise<Person> {
  const key = createWalletKeypair();
  return { key, headers: bearer((await app.client.signIn(key)).accessToken) };
}

async function people() {
  const [sender, recipient, stranger] = [await person(), await person(), await person()];
  const make = async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
    app.client.send("POST", "/api/streams", {
      body: { recipient: recipient.key.account, deposit: "3600", duration_seconds: 3_600, ...more },
      headers: { ...sender.headers, ...headers },
    });
  return { sender, recipient, stranger, make };
}

function command(by: Person, id: string, name: string, headers: Record<string, string> = {}) {
  return app.client.send("POST", `/api/streams/${id}/${name}`, { headers: { ...by.headers, ...headers } });
}

function read(by: Person, id: string) {
  return app.client.send("GET", `/api/streams/${id}`, { headers: by.headers });
}

const outcomeOf = (answer: Answer) => (answer.status < 300 ? String(answer.status) : problemOf(answer));

/** Resolves when the stream has earned something, by the server's clock. */
async function earned(by: Person, id: string): Promise<void> {
  await expect
    .poll(async () => Number((await read(by, id)).json.accrued), { timeout: 10_000 })
    .toBeGreaterThan(0);
}

function ledgerOf(server: AppServer, id: string): { kind: string; amount: bigint }[] {
  const database = new DatabaseSync(server.databasePath, { readOnly: true, readBigInts: true });
  try {
    return database
      .prepare("SELECT kind, amount FROM stream_ledger WHERE stream_id = ? ORDER BY position")
      .all(id) as { kind: string; amount: bigint }[];
  } finally {
    database.close();
  }
}

/** The next event for which it holds; those before it are passed over. */
async function until(stream: EventStream, holds: (event: StreamEvent) => boolean): Promise<StreamEvent> {
  for (;;) {
    const event = await stream.next();
    if (holds(event)) return event;
  }
}

const kindsOf = (id: string) => ledgerOf(app.server, id).map(({ kind }) => kind);

test("a stream from its start to its end; a third person sees nothing of it", async () => {
  const { sender, recipient, stranger, make } = await people();
  const id = textOf(await make({ start: true, title: "Salary" }), "id");
  await earned(recipient, id);
  expect((await command(recipient, id, "withdraw")).json).toMatchObject({
    role: "recipient",
    status: "active",
  });
  expect((await command(sender, id, "pause")).json).toMatchObject({ status: "paused" });
  for (const name of ["start", "pause", "settle", "withdraw", "cancel"]) {
    expect(problemOf(await command(stranger, id, name))).toBe("404 not_found");
  }
  expect(problemOf(await read(stranger, id))).toBe("404 not_found");
  const list = await app.client.send("GET", "/api/streams", { headers: stranger.headers });
  expect(list.json.streams).toEqual([]);

  const cancelled = (await command(sender, id, "cancel")).json;
  const sum = (...names: string[]) =>
    names.reduce((total, name) => total + BigInt(String(cancelled[name]).replace(".", "")), 0n);
  expect(sum("settled", "refunded", "remaining")).toBe(36_000_000_000n);
  const { json } = await read(recipient, id);
  expect((json.history as { type: string }[]).map(({ type }) => type).at(-1)).toBe("created");
});

test("20 requests at once with one key: one stream, one withdrawal, and one and the same answer to all", async () => {
  const { sender, recipient, make } = await people();
  const key = { "Idempotency-Key": newRetryKey() };
  const made = await Promise.all(Array.from({ length: AT_ONCE }, () => make({ start: true }, key)));
  expect(new Set(made.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  const list = await app.client.send("GET", "/api/streams", { headers: sender.headers });
  expect(list.json.streams).toHaveLength(1);

  const id = textOf(made[0] as Answer, "id");
  await earned(recipient, id);
  const once = { "Idempotency-Key": newRetryKey() };
  const taken = await Promise.all(
    Array.from({ length: AT_ONCE }, () => command(recipient, id, "withdraw", once)),
  );
  expect(new Set(taken.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(kindsOf(id).filter((kind) => kind === "withdrawal")).toHaveLength(1);
});

test("20 at once for the same version: one wins, the others are told", async () => {
  const { sender, recipient, make } = await people();
  const id = textOf(await make({ start: true }), "id");
  await earned(recipient, id);
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, () => command(sender, id, "cancel", { "If-Match": '"1"' })),
  );
  expect(answers.map(outcomeOf).sort()).toEqual(["200", ...Array(AT_ONCE - 1).fill("412 version_conflict")]);
  expect(kindsOf(id)).toEqual(["deposit", "settlement", "refund"]);
});

test("a process that is killed in the middle of it loses no money and makes none", async () => {
  const { sender, recipient, make } = await people();
  const ids = await Promise.all(
    Array.from({ length: 5 }, async () => textOf(await make({ start: true }), "id")),
  );
  await earned(recipient, ids[0] ?? "");
  const storm = Array.from({ length: 60 }, (_, n) => {
    const id = ids[n % ids.length] ?? "";
    return n % 2 === 0
      ? command(recipient, id, "withdraw")
      : command(sender, id, n === 31 ? "cancel" : "settle");
  });
  const settledAll = Promise.allSettled(storm);
  await Promise.any(storm);
  await app.server.restart("SIGKILL");
  await settledAll;
  for (const id of ids) {
    await command(recipient, id, "withdraw");
    const cancelled = await command(sender, id, "cancel");
    expect(["200", "409 stream_state"]).toContain(outcomeOf(cancelled));
    await command(recipient, id, "withdraw");
    const total = (kind: string) =>
      ledgerOf(app.server, id).reduce((sum, entry) => (entry.kind === kind ? sum + entry.amount : sum), 0n);
    expect(total("deposit")).toBe(36_000_000_000n);
    expect(total("settlement") + total("refund")).toBe(total("deposit"));
    expect(total("withdrawal")).toBe(total("settlement"));
  }
});

test("a page of a stream hears what it earns, and what the other side does", async () => {
  const { sender, recipient, stranger, make } = await people();
  const made = await make({ start: true });
  const id = textOf(made, "id");
  const path = `/api/streams/${id}/events`;
  expect((await openEventStream(app.server, path, stranger.headers)).status).toBe(404);
  const events = await openEventStream(app.server, path, recipient.headers);
  const first = await events.next();
  expect(first).toMatchObject({ event: "stream.state", data: { id, role: "recipient", status: "active" } });
  const accrual = await until(events, ({ event }) => event === "stream.accrual");
  expect(accrual.data).toEqual({
    accrued: expect.stringMatching(/^\d+\.\d{7}$/),
    withdrawable: expect.any(String),
    elapsed_seconds: expect.any(Number),
    as_of: expect.any(String),
  });
  await command(sender, id, "pause");
  const paused = await until(events, ({ event }) => event === "stream.state");
  expect(paused.data).toMatchObject({ status: "paused", version: 2 });
  expect(Number(paused.id)).toBeGreaterThan(Number(first.id));
});

test("the feed of a person goes on where it was, also after a restart, and by another process", async () => {
  const { sender, recipient, stranger, make } = await people();
  const open = (server: AppServer, by: Person, lastEventId: string | null) =>
    openEventStream(server, "/api/events", {
      ...by.headers,
      ...(lastEventId === null ? {} : { "Last-Event-ID": lastEventId }),
    });
  const feed = await open(app.server, recipient, "0");
  // The recipient hears of no draft.
  await make();
  const id = textOf(await make({ start: true }), "id");
  const seen = await until(feed, ({ event }) => event === "stream.state");
  expect(seen.data.id).toBe(id);
  feed.leave();

  await command(sender, id, "pause");
  await app.server.restart("SIGKILL");
  const second = await startApp({ PUBLIC_URL: app.server.publicUrl }, app.server);
  onTestFinished(() => second.stop());
  const foreign = await open(second, stranger, seen.id);
  const resumed = await open(second, recipient, seen.id);
  expect(await resumed.next()).toMatchObject({
    event: "stream.state",
    data: { id, status: "paused", version: 2 },
  });
  await command(sender, id, "cancel");
  expect(await resumed.next()).toMatchObject({ data: { id, status: "cancelled" } });
  // The stranger's own comes first: nothing of the others' went there.
  const own = textOf(await make({ recipient: stranger.key.account, start: true }), "id");
  expect((await until(foreign, ({ event }) => event === "stream.state")).data.id).toBe(own);
});

test("a session that is ended hears of it, and its feeds with it", async () => {
  const { recipient, make } = await people();
  const id = textOf(await make({ start: true }), "id");
  const tokens = await app.client.signIn(recipient.key);
  const events = await openEventStream(app.server, `/api/streams/${id}/events`, bearer(tokens.accessToken));
  await events.next();
  await app.client.logout(tokens.refreshToken);
  const ended = await until(events, ({ event }) => event === "session.ended");
  expect(ended.data).toEqual({ code: "session_revoked" });
  await expect(events.next()).rejects.toThrow("The stream ended");
});
