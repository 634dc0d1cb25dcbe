import type { Clock } from "../../clock.ts";
import type { LeaseEvent } from "../../engine/lease-event.ts";
import type { AuthenticatedSession, SessionEngine } from "../../engine/session-engine.ts";
import { type Every, everyInterval } from "../../engine/timers.ts";
import { SessionError } from "../../errors.ts";
import { requireAcceptable } from "../accept.ts";
import type { FaultSink } from "../endpoint.ts";
import { asProblem, isUnreportedFault } from "../problem.ts";
import { headerToken } from "../request/authorization.ts";
import { requireOwnReader } from "../request/credentials.ts";
import { EventStreamBody, eventFrame, retryFrame, type ServerEventSource } from "./event-stream-body.ts";

/**
 * For one session at one time by cookie, and as many by header; one more ends the oldest. The tabs of a browser share one;
 * the rest is for those whose end was not noticed yet.
 */
const EVENT_STREAMS_PER_SESSION = 8;
const EVENT_STREAM_TICK_MS = 1_000;
/** Told to clients as `retry`: how long to wait before they connect again. */
const EVENT_STREAM_RETRY_MS = 2_000;
/** The same, told as the last word of a stream whose access token is over: its client has another one by now. */
const EVENT_STREAM_HANDOVER_MS = 100;
const LAST_EVENT_ID_MAX_CHARS = 128;

export type EventStreams = ReturnType<typeof createEventStreams>;

/** The event streams of this process. */
export function createEventStreams(options: {
  readonly engine: Pick<SessionEngine, "watchSession">;
  readonly publicUrl: URL;
  readonly trustedOrigins?: readonly string[];
  readonly clock: Clock;
  readonly onFault: FaultSink;
  readonly every?: Every;
}) {
  const { engine, publicUrl, trustedOrigins = [], clock, onFault, every = everyInterval } = options;
  const streams = new Set<EventStreamBody>();
  /** Of each reader, the oldest first. */
  const streamsOf = new Map<string, Set<EventStreamBody>>();
  let stopTicking: (() => void) | null = null;
  let closed = false;

  /**
   * One stream more than a session may have takes the place of its oldest one.
   * @throws not_acceptable, invalid_request, cross_origin, and whatever the source throws when it is called
   */
  async function open(
    request: Request,
    session: AuthenticatedSession,
    source: ServerEventSource | null = null,
  ) {
    requireAcceptable(request, ["text/event-stream"]);
    requireOwnReader(request, { publicUrl, trustedOrigins });
    const lastEventId = readLastEventId(request);
    // Nobody reads the body of an answer to HEAD.
    const body = request.method === "HEAD" ? null : openBody(request, session, source, lastEventId);
    return new Response(body, {
      headers: {
        "Content-Type": "text/event-stream",
        // no-transform: a compressor in between would hold events back until it has enough of them.
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
        // Kept alive after the stream, it would hold up a server that was told to stop.
        Connection: "close",
      },
    });
  }

  function openBody(
    request: Request,
    session: AuthenticatedSession,
    source: ServerEventSource | null,
    lastEventId: string | null,
  ): ReadableStream<Uint8Array> {
    const reader = readerOf(request, session);
    const stream = new EventStreamBody({
      clock,
      opening: retryFrame(EVENT_STREAM_RETRY_MS),
      source,
      lastEventId,
      onFault: (error) => {
        if (isUnreportedFault(asProblem(error))) onFault(error);
      },
      onReleased: () => {
        endLease();
        request.signal.removeEventListener("abort", abandon);
        remove(stream, reader);
      },
    });
    const abandon = () => stream.abandon();
    makeRoom(reader);
    add(stream, reader);
    // Not every framework cancels the body when its client has gone away.
    request.signal.addEventListener("abort", abandon);
    const endLease = engine.watchSession(session, (event) => tellOf(stream, event));
    if (request.signal.aborted) stream.abandon();
    if (closed) stream.finish(null);
    return stream.readable;
  }

  /**
   * A phone that changes networks leaves a connection behind whose end goes unnoticed for minutes. Refusing the new one
   * would lock its user out; if the oldest is alive after all, its client connects again.
   */
  function makeRoom(reader: string): void {
    const own = streamsOf.get(reader) ?? new Set();
    for (const oldest of own) {
      if (own.size < EVENT_STREAMS_PER_SESSION) return;
      oldest.abandon();
    }
  }

  function add(stream: EventStreamBody, reader: string): void {
    streams.add(stream);
    streamsOf.set(reader, (streamsOf.get(reader) ?? new Set()).add(stream));
    stopTicking ??= every(EVENT_STREAM_TICK_MS, async () => {
      for (const open of streams) open.tick();
    });
  }

  function remove(stream: EventStreamBody, reader: string): void {
    streams.delete(stream);
    const own = streamsOf.get(reader);
    own?.delete(stream);
    if (own?.size === 0) streamsOf.delete(reader);
    if (streams.size > 0) return;
    stopTicking?.();
    stopTicking = null;
  }

  return {
    open,
    count: () => streams.size,
    closeAll(): void {
      closed = true;
      for (const stream of streams) stream.finish(null);
    },
  };
}

/** Of a session, its browser and those who bring its token in a header: who has stolen one closes none of the browser's. */
function readerOf(request: Request, { sessionId }: AuthenticatedSession): string {
  return `${sessionId} ${headerToken(request) === null ? "cookie" : "header"}`;
}

function tellOf(stream: EventStreamBody, event: LeaseEvent): void {
  switch (event.type) {
    case "expiring":
    case "renewed":
      stream.tell(
        eventFrame({ event: `session.${event.type}`, data: { expires_in: event.expiresInSeconds } }),
      );
      return;
    case "outlived":
      stream.finish(retryFrame(EVENT_STREAM_HANDOVER_MS));
      return;
    case "ended":
      stream.finish(eventFrame({ event: "session.ended", data: { code: event.code } }));
      return;
  }
}

/** The last event that the client saw, by its own account. Our ids are short. @throws invalid_request */
function readLastEventId(request: Request): string | null {
  const id = request.headers.get("last-event-id");
  if (id !== null && id.length > LAST_EVENT_ID_MAX_CHARS) {
    throw new SessionError("invalid_request", "Last-Event-ID is too long.");
  }
  return id || null;
}
