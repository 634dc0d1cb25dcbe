import { expect, test } from "vitest";
import { type FeedEvent, readEventStream } from "../feed.ts";

const stream = (text: string) =>
  new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } });

test("a program reads the events of an answer until it ends", async () => {
  const events: FeedEvent[] = [];
  const text =
    'id: 7\nevent: stream.state\ndata: {"state":\ndata: "paused"}\n\n: still here\n\ndata: no JSON\n\n';
  await readEventStream(stream(`${text}data: 1\n\ndata: 2\n`), { onEvent: (event) => events.push(event) });
  expect(events).toEqual([
    { id: "7", type: "stream.state", data: { state: "paused" } },
    { id: null, type: "message", data: 1 },
  ]);
});

test("a reading that was called off before it began reads nothing", async () => {
  const events: FeedEvent[] = [];
  const listener = { onEvent: (event: FeedEvent) => void events.push(event) };
  await readEventStream(stream("data: 1\n\n"), listener, AbortSignal.abort());
  expect(events).toEqual([]);
});

test("another answer is thrown, and says why", async () => {
  const listener = { onEvent: () => {} };
  const problem = Response.json(
    { code: "rate_limited" },
    { status: 429, headers: { "content-type": "application/problem+json", "retry-after": "3" } },
  );
  await expect(readEventStream(problem, listener)).rejects.toMatchObject({
    name: "SessionClientError",
    code: "rate_limited",
    retryAfterSeconds: 3,
  });
  await expect(readEventStream(Response.json({}), listener)).rejects.toMatchObject({
    code: "unexpected_response",
  });
});
