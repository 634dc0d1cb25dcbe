import { type Clock, elapsedMs } from "../../clock.ts";

/** A comment goes out after this long without an event, so that no proxy takes the connection for dead. */
const EVENT_STREAM_HEARTBEAT_MS = 15_000;
/** A reader that has taken nothing for this long is dropped. */
const EVENT_STREAM_STALLED_MS = 60_000;

/** Where the events of a stream come from. Asked for the next one only when the reader has room for it. */
export type ServerEventSource = (context: {
  /** The last event that the client saw; null on a first connection. The client says so, and may lie. */
  readonly lastEventId: string | null;
  /** Aborts when the stream is over, by whichever side. A source that waits must stop waiting then. */
  readonly signal: AbortSignal;
}) => AsyncIterable<ServerEvent>;

export interface EventStreamBodyOptions {
  readonly clock: Clock;
  /** The first bytes, so that the client sees at once that the stream flows. */
  readonly opening: string;
  readonly source: ServerEventSource | null;
  readonly lastEventId: string | null;
  /** Told of what the source threw. */
  readonly onFault: (error: unknown) => void;
  /** Called once, when nothing of the stream is left. */
  readonly onReleased: () => void;
}

/**
 * The body of an event stream: a web stream that is filled only while its reader waits for bytes, so a slow reader fills no
 * buffer. At most one event of the source and one piece of news are held.
 */
export class EventStreamBody {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #options: EventStreamBodyOptions;
  readonly #abort = new AbortController();
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #source: AsyncIterator<ServerEvent> | null = null;
  #asking = false;
  /** These go out next: news of the session, then the event of the source. */
  #news: string | null;
  #arrived: string | null = null;
  #finished = false;
  #released = false;
  /** Set while the reader waits: wakes the pull that has nothing to give yet. */
  #wake: (() => void) | null = null;
  #takenAt: number;

  /** @throws what the source throws when it is called */
  constructor(options: EventStreamBodyOptions) {
    const { clock, opening, source, lastEventId } = options;
    this.#options = options;
    this.#news = opening;
    this.#takenAt = clock.now();
    const events = source?.({ lastEventId, signal: this.#abort.signal });
    this.#source = events?.[Symbol.asyncIterator]() ?? null;
    this.readable = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#release(),
      },
      // Nothing is made ahead of its reader.
      { highWaterMark: 0 },
    );
  }

  /** News of the session, ahead of what the source has. Newer news replaces what the reader has not taken yet. */
  tell(news: string): void {
    if (this.#finished) return;
    this.#news = news;
    this.#wake?.();
  }

  /** Ends the stream after `lastNews`. The source is let go of at once: nothing more of it goes out. */
  finish(lastNews: string | null): void {
    if (this.#finished) return;
    this.#finished = true;
    // After what the reader has not taken yet: a renewal just before the end is news as well.
    this.#news = `${this.#news ?? ""}${lastNews ?? ""}` || null;
    this.#letGoOfSource();
    this.#wake?.();
  }

  /** For a client that has gone away, or must be taken to have: ends the stream as it is. */
  abandon(): void {
    if (this.#released) return;
    this.#controller?.close();
    this.#release();
  }

  /** To be called every second or so. */
  tick(): void {
    const quietMs = elapsedMs(this.#takenAt, this.#options.clock.now());
    if (this.#wake === null) {
      if (quietMs >= EVENT_STREAM_STALLED_MS) this.#drop();
    } else if (quietMs >= EVENT_STREAM_HEARTBEAT_MS) this.tell(HEARTBEAT);
  }

  /** As an error, which makes a server cut the connection where it can; by a name that frameworks do not report. */
  #drop(): void {
    this.#controller?.error(new DOMException("The reader of the event stream takes nothing.", "AbortError"));
    this.#release();
  }

  async #pull(): Promise<void> {
    for (;;) {
      if (this.#released) return;
      this.#ask();
      const frame = this.#take();
      if (frame !== null) {
        this.#takenAt = this.#options.clock.now();
        this.#controller?.enqueue(this.#encoder.encode(frame));
        return;
      }
      if (this.#finished) {
        this.#controller?.close();
        this.#release();
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  #take(): string | null {
    const frame = this.#news ?? this.#arrived;
    if (this.#news !== null) this.#news = null;
    else this.#arrived = null;
    return frame;
  }

  #ask(): void {
    if (this.#source === null || this.#asking || this.#arrived !== null) return;
    this.#asking = true;
    this.#next(this.#source).catch((error) => {
      if (this.#finished) return;
      this.#options.onFault(error);
      this.finish(null);
    });
  }

  async #next(source: AsyncIterator<ServerEvent>): Promise<void> {
    const result = await source.next();
    this.#asking = false;
    // The reader gets nothing after the end.
    if (this.#finished) return;
    if (result.done) return this.finish(null);
    this.#arrived = eventFrame(result.value);
    this.#wake?.();
  }

  #letGoOfSource(): void {
    const source = this.#source;
    this.#source = null;
    this.#arrived = null;
    this.#abort.abort();
    if (source !== null) void end(source);
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#finished = true;
    this.#letGoOfSource();
    this.#wake?.();
    this.#options.onReleased();
  }
}

/** Not waited for: a generator returns only once the step it is in has ended. */
async function end(source: AsyncIterator<ServerEvent>): Promise<void> {
  try {
    await source.return?.();
  } catch {
    // The stream has let go of it, so a fault at its end is ignored.
  }
}

/** One event for an event stream, or the place in it alone, which a client notes without having an event. */
export type ServerEvent =
  | {
      /** Where a client that comes back goes on from, as `Last-Event-ID`. Without one, the client keeps the last it has. */
      readonly id?: string;
      readonly event: string;
      /** Goes out as JSON. */
      readonly data: unknown;
    }
  | { readonly id: string; readonly event?: never; readonly data?: never };

/** Bytes on the wire that keep the connection from being taken for dead, and that no client sees. */
export const HEARTBEAT = ":\n\n";

/** The first frame: how long the client waits before it connects again. */
export function retryFrame(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}

/**
 * One event in the format of the HTML standard (§9.2.5). JSON has no line ends of its own, so the data is one line.
 * @throws TypeError for an id or a name that would break the format, and for data that JSON does not know
 */
export function eventFrame({ id, event, data }: ServerEvent): string {
  const idLine = id === undefined ? "" : `id: ${oneLine(id)}\n`;
  if (event === undefined) return `${idLine}\n`;
  const json = JSON.stringify(data);
  if (json === undefined) throw new TypeError("The data of an event must be something that JSON knows.");
  return `${idLine}event: ${oneLine(event)}\ndata: ${json}\n\n`;
}

/** A line end would start a field of its own; an id with a NUL is ignored by clients. */
function oneLine(value: string): string {
  if (/[\r\n\0]/.test(value))
    throw new TypeError("The id and the name of an event are one line, without NUL.");
  return value;
}
