import { expect, test, vi } from "vitest";
import { createManualTimers } from "../../engine/engine.fixture.ts";
import { createManualClock } from "../../testing/manual-clock.ts";
import type { HandlersOptions } from "../handlers.ts";
import { COOKIES, createRequest, problemOf, startHttp } from "../http.fixture.ts";
import { HEARTBEAT, type ServerEvent, type ServerEventSource } from "./event-stream-body.ts";

const EVENTS = "/api/auth/events";
const SECOND = 1_000;
const OPENING = "retry: 2000\n\n";

/** Handlers and engine whose timers the test drives. */
async function start(options: Partial<HandlersOptions> = {}) {
  const clock = createManualClock();
  const { every, pass, count } = createManualTimers(clock);
  const running = await startHttp({ clock, every, ...options, engineOptions: { clock, every } });
  /** Timers beside those of the engine. */
  const idleTimers = count();
  const signedIn = await running.signIn();
  const headers = { Authorization: `Bearer ${signedIn.access_token}` };
  const session = await running.engine.authenticate(signedIn.access_token);
  const request = (more: Record<string, string> = {}) =>
    createRequest("GET", "/feed", { headers: { ...headers, ...more } });
  return {
    ...running,
    pass,
    timers: () => count() - idleTimers,
    signedIn,
    headers,
    session,
    request,
    open: (source?: ServerEventSource, more?: Record<string, string>) =>
      running.handlers.eventStream(request(more), session, source),
  };
}

/** Reads a stream frame by frame, each only when it is asked for. */
function reading(response: Response) {
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const next = async () => {
    const { value, done } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { next, cancel: () => reader.cancel(), frames: (count: number) => collect(next, count) };
}

async function collect(next: () => Promise<string | null>, count: number): Promise<(string | null)[]> {
  const frames: (string | null)[] = [];
  while (frames.length < count) frames.push(await next());
  return frames;
}

/** A source of numbered events that counts how often it is asked and notes when it is let go of. */
function counter(limit = Number.POSITIVE_INFINITY) {
  const seen = {
    asked: 0,
    returned: false,
    lastEventId: null as string | null,
    signal: null as AbortSignal | null,
  };
  const source: ServerEventSource = ({ lastEventId, signal }) => {
    Object.assign(seen, { lastEventId, signal });
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          if (seen.asked === limit) return { done: true, value: undefined };
          seen.asked += 1;
          return { done: false, value: { id: `${seen.asked}`, event: "count", data: { n: seen.asked } } };
        },
        async return() {
          seen.returned = true;
          return { done: true, value: undefined };
        },
      }),
    };
  };
  return { seen, source };
}

/** A source that waits for its signal and for what the test gives it. */
function handFed() {
  let wake = () => {};
  const events: ServerEvent[] = [];
  const state = { ended: false };
  const source: ServerEventSource = async function* ({ signal }) {
    signal.addEventListener("abort", () => wake());
    try {
      while (!signal.aborted) {
        const event = events.shift();
        if (event !== undefined) yield event;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      state.ended = true;
    }
  };
  return {
    source,
    state,
    give(event: ServerEvent) {
      events.push(event);
      wake();
    },
  };
}

test("the stream of a session begins at once and tells of warning, renewal and end", async () => {
  const { send, headers, pass, signedIn, refresh, engine } = await start();
  const response = await send("GET", EVENTS, { headers });
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  });
  const { next, cancel } = reading(response);
  const told: string[] = [];
  const whole = (async () => {
    for (let frame = await next(); frame !== null; frame = await next()) told.push(frame);
  })();
  await pass(14 * 60 * SECOND + SECOND);
  await refresh(signedIn.refresh_token);
  await pass(SECOND);
  await engine.revokeByRefreshToken(signedIn.refresh_token, "logout");
  await whole;
  await cancel();
  expect(told.filter((frame) => frame !== HEARTBEAT)).toEqual([
    OPENING,
    expect.stringMatching(/^event: session\.expiring\ndata: \{"expires_in":(59|60)\}\n\n$/),
    'event: session.renewed\ndata: {"expires_in":900}\n\n',
    'event: session.ended\ndata: {"code":"session_revoked"}\n\n',
  ]);
  // One for each 15 s or so in which nothing else was said.
  expect(told.filter((frame) => frame === HEARTBEAT).length).toBeGreaterThan(50);
});

test("ends with the token that opened it, and its grace, also when another tab renews the session", async () => {
  const { send, headers, pass, signedIn, refresh } = await start();
  const stolen = reading(await send("GET", EVENTS, { headers }));
  const told: string[] = [];
  const whole = (async () => {
    for (let frame = await stolen.next(); frame !== null; frame = await stolen.next()) told.push(frame);
  })();
  await pass(13 * 60 * SECOND);
  await refresh(signedIn.refresh_token);
  await pass(3 * 60 * SECOND - SECOND);
  expect(told.at(-1)).not.toMatch(/retry/);
  await pass(2 * SECOND);
  await whole;
  expect(told.filter((frame) => frame !== HEARTBEAT)).toEqual([
    OPENING,
    'event: session.renewed\ndata: {"expires_in":900}\n\n',
    "retry: 100\n\n",
  ]);
  expect((await send("GET", EVENTS, { headers })).status).toBe(401);
});

test("the source is asked only when the reader has room", async () => {
  const { open } = await start();
  const { seen, source } = counter();
  const { next } = reading(await open(source));
  await new Promise(setImmediate);
  expect(seen.asked).toBe(0);
  expect(await next()).toBe(OPENING);
  for (let n = 1; n <= 5; n += 1) {
    expect(await next()).toBe(`id: ${n}\nevent: count\ndata: {"n":${n}}\n\n`);
    await new Promise(setImmediate);
    expect(seen.asked).toBeLessThanOrEqual(n + 1);
  }
});

test("news of the session goes ahead of what the source has, and after the end nothing of it goes out", async () => {
  const { open, engine, refresh, signedIn, pass } = await start();
  const { seen, source } = counter();
  const { next } = reading(await open(source));
  expect(await next()).toBe(OPENING);
  await pass(30 * SECOND);
  await refresh(signedIn.refresh_token);
  expect(await next()).toMatch(/^event: session\.renewed/);
  expect(await next()).toMatch(/^id: 1/);
  await engine.revokeByRefreshToken(signedIn.refresh_token, "ended");
  // Let go of at once, even before the reader hears of the end.
  expect([seen.signal?.aborted, seen.returned]).toEqual([true, true]);
  expect(await next()).toMatch(/^event: session\.ended/);
  expect(await next()).toBeNull();
});

test("the place where the client was goes to the source", async () => {
  const { open } = await start();
  const { seen, source } = counter();
  await open(source);
  expect(seen.lastEventId).toBeNull();
  await open(source, { "Last-Event-ID": "42" });
  expect(seen.lastEventId).toBe("42");
  const { handlers, request, session } = await start();
  const refused = handlers
    .eventStream(request({ "Last-Event-ID": "1".repeat(129) }), session)
    .catch(handlers.problem);
  expect(await problemOf(await refused)).toBe("400 invalid_request");
});

test("a quiet stream is kept alive by comments; a reader that takes nothing for a minute is dropped", async () => {
  const { open, pass, timers } = await start();
  const { source, state } = handFed();
  const quiet = reading(await open(source));
  expect(timers()).toBe(1);
  expect(await quiet.next()).toBe(OPENING);
  const heartbeat = quiet.next();
  await pass(15 * SECOND);
  expect(await heartbeat).toBe(HEARTBEAT);
  await pass(59 * SECOND);
  expect(state.ended).toBe(false);
  await pass(SECOND);
  await vi.waitFor(() => expect(state.ended).toBe(true), 10_000);
  await expect(quiet.next()).rejects.toThrow("takes nothing");
  expect(timers()).toBe(0);
});

test("when the client goes away all is let go of: the source, the lease, the timer, the place", async () => {
  const { open, timers, handlers, session, headers, store, pass } = await start();
  for (let round = 1; round <= 30; round += 1) {
    const { source, state } = handFed();
    const { next, cancel } = reading(await open(source));
    expect(await next()).toBe(OPENING);
    const waiting = next();
    await cancel();
    expect(await waiting).toBeNull();
    await vi.waitFor(() => expect(state.ended).toBe(true), 10_000);
  }
  // By the request's signal alone, before anything was read and while something is waited for.
  const { source, seen } = counter();
  const client = new AbortController();
  const request = new Request(createRequest("GET", "/feed", { headers }), { signal: client.signal });
  await handlers.eventStream(request, session, source);
  client.abort();
  expect(seen.signal?.aborted).toBe(true);
  expect(timers()).toBe(0);
  // Nobody looks after a lease any more.
  store.steps.length = 0;
  await pass(30 * 60 * SECOND);
  expect(store.steps).not.toContain("findSession");
});

test("a session has 8 streams at most; one more ends the oldest, of whose client nothing was heard", async () => {
  const { open, timers } = await start();
  const [first, ...sources] = Array.from({ length: 9 }, () => handFed());
  const oldest = reading(await open(first?.source));
  // Its reader waits, as far as the server can see.
  expect(await oldest.next()).toBe(OPENING);
  const waiting = oldest.next();
  const streams = await Promise.all(sources.map(({ source }) => open(source).then(reading)));
  expect(await waiting).toBeNull();
  await vi.waitFor(() => expect(first?.state.ended).toBe(true), 10_000);
  for (const { next } of streams) expect(await next()).toBe(OPENING);
  await streams[0]?.cancel();
  // There is room for one, and the others are left alone.
  streams.push(reading(await open()));
  sources.slice(1).forEach(({ give }, n) => {
    give({ event: "count", data: n });
  });
  expect(await Promise.all(streams.slice(1, 8).map(({ next }) => next()))).toEqual(
    Array.from({ length: 7 }, (_, n) => `event: count\ndata: ${n}\n\n`),
  );
  await Promise.all(streams.map(({ cancel }) => cancel()));
  expect(timers()).toBe(0);
});

test("when the source ends the stream ends; what it throws is reported once and not shown", async () => {
  const { open, faults, timers } = await start();
  const short = reading(await open(counter(1).source));
  expect(await short.frames(3)).toEqual([OPENING, expect.stringContaining("id: 1"), null]);
  const broken = reading(
    await open(async function* () {
      yield { event: "fine", data: null };
      throw new Error("the query failed");
    }),
  );
  expect(await broken.frames(3)).toEqual([OPENING, "event: fine\ndata: null\n\n", null]);
  expect(faults).toEqual([new Error("the query failed")]);
  for (const event of [
    { event: "two\nlines", data: 1 },
    { event: "x", id: "nul\0", data: 1 },
    { event: "x", data: undefined },
  ]) {
    const wrong = reading(
      await open(async function* () {
        yield event;
      }),
    );
    expect(await wrong.frames(2)).toEqual([OPENING, null]);
    expect(faults.pop()).toBeInstanceOf(TypeError);
  }
  expect(timers()).toBe(0);
});

test("text with line ends stays one event", async () => {
  const { open } = await start();
  const { frames } = reading(
    await open(async function* () {
      yield { id: "a b", event: "note", data: "one\r\ntwo\n\nid: 9" };
    }),
  );
  expect(await frames(2)).toEqual([OPENING, 'id: a b\nevent: note\ndata: "one\\r\\ntwo\\n\\nid: 9"\n\n']);
});

test("a stop ends every stream, and each new one after its first bytes", async () => {
  const { open, handlers, timers } = await start();
  const { source, state } = handFed();
  const { next } = reading(await open(source));
  expect(await next()).toBe(OPENING);
  const end = next();
  handlers.closeEventStreams();
  expect(await end).toBeNull();
  await vi.waitFor(() => expect(state.ended).toBe(true), 10_000);
  expect(await reading(await open()).frames(2)).toEqual([OPENING, null]);
  expect(timers()).toBe(0);
});

test("a source may say where it is, without an event", async () => {
  const { open } = await start();
  const { source } = handFed();
  const { next, cancel } = reading(
    await open(async function* (context) {
      yield { id: "57" };
      yield* source(context);
    }),
  );
  expect([await next(), await next()]).toEqual([OPENING, "id: 57\n\n"]);
  await cancel();
});

test("HEAD opens nothing; what does not take an event stream is refused; so is who is not signed in", async () => {
  const { send, headers, timers } = await start();
  const head = await send("HEAD", EVENTS, { headers });
  expect([head.status, head.headers.get("content-type"), head.body]).toEqual([
    200,
    "text/event-stream",
    null,
  ]);
  for (const accept of ["*/*", "text/*", "text/event-stream"]) {
    const response = await send("GET", EVENTS, { headers: { ...headers, Accept: accept } });
    expect(response.status).toBe(200);
    await response.body?.cancel();
  }
  const json = await send("GET", EVENTS, { headers: { ...headers, Accept: "application/json" } });
  expect(await problemOf(json)).toBe("406 not_acceptable");
  expect(await problemOf(await send("GET", EVENTS))).toBe("401 access_token_missing");
  expect(await problemOf(await send("POST", EVENTS, { headers }))).toBe("405 method_not_allowed");
  expect(timers()).toBe(0);
});

test("another site's page opens none by cookie, and so closes none of the person's own", async () => {
  const { browser, handlers } = await start();
  const jar = await browser();
  const own = reading(await jar.send("GET", EVENTS));
  expect(await own.next()).toBe(OPENING);
  const foreign = [
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" },
    { "Sec-Fetch-Site": "none" },
  ];
  for (const headers of foreign) {
    for (let opened = 0; opened < 8; opened++) {
      expect(await problemOf(await jar.send("GET", EVENTS, { headers }))).toBe("403 cross_origin");
    }
  }
  // A browser from before that header, and a client that is none and says nothing.
  const cookie = jar.prepare("GET", EVENTS).headers.get("cookie") ?? "";
  const older = (headers: Record<string, string>) =>
    handlers.fetch(createRequest("GET", EVENTS, { headers: { cookie, ...headers } }));
  expect(await problemOf(await older({ Origin: "https://neighbour.example.com" }))).toBe("403 cross_origin");
  for (const headers of [{}, { Origin: "https://pay.example.com" }]) {
    const response = await older(headers);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  }
  expect(handlers.eventStreamCount()).toBe(1);
  await own.cancel();
});

test("an access token stolen from a browser opens streams of its own, and closes none of the browser's", async () => {
  const { browser, send } = await start();
  const jar = await browser();
  const own = reading(await jar.send("GET", EVENTS));
  expect(await own.next()).toBe(OPENING);
  const headers = { Authorization: `Bearer ${jar.cookies.get(COOKIES.access)}` };
  const thiefs = await Promise.all(Array.from({ length: 9 }, () => send("GET", EVENTS, { headers })));
  // The first of these is over, and the browser's own is not.
  expect(await reading(thiefs[0] as Response).next()).toBeNull();
  const next = own.next();
  await jar.send("POST", "/api/auth/logout");
  expect(await next).toContain("session.ended");
});

test("a bearer token opens one from anywhere", async () => {
  const { send, headers } = await start();
  const response = await send("GET", EVENTS, { headers: { ...headers, "Sec-Fetch-Site": "cross-site" } });
  expect(response.status).toBe(200);
  await response.body?.cancel();
});
