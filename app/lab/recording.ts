/** What happened in a run of the lab. All times are in milliseconds since the recording began. */
export interface Recording {
  readonly entries: readonly LogEntry[];
  readonly tracks: readonly Track[];
  readonly spans: readonly Span[];
  readonly flags: readonly Flag[];
}

/** Good: what kept the session alive. Danger: what ended it. */
export type Tone = "calm" | "good" | "notice" | "danger";

/** Who speaks in the log; `rule`: what a scenario has shown. */
export type Party = "lab" | "rule" | "client" | "server" | "stream" | "thief" | "tab A" | "tab B";

/** A request and what came of it; no status where no answer reached the page. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly code: string | null;
}

export interface LogEntry {
  readonly id: number;
  readonly at: number;
  readonly who: Party;
  readonly text: string;
  readonly tone: Tone;
  readonly exchange: Exchange | null;
}

/** How a session's tokens travel; each way has lanes of its own in the picture. */
export type Lane = "body" | "cookie";

/** One session as it is drawn. */
export interface Track {
  readonly lane: Lane;
  readonly sessionId: string;
  readonly startedAt: number;
  readonly end: TrackEnd | null;
  readonly accessTokens: readonly AccessToken[];
  readonly connections: readonly Connection[];
  readonly steps: readonly Step[];
}

/** Unwatched: the session goes on, and the lab no longer looks. */
export interface TrackEnd {
  readonly at: number;
  readonly how: "revoked" | "signed-out" | "unwatched";
}

export interface AccessToken {
  readonly generation: number;
  readonly from: number;
  readonly until: number;
  /** When the client means to renew; null where nobody does. */
  readonly renewalAt: number | null;
  /** Whether its answer reached the client. */
  readonly arrived: boolean;
}

/** An event stream on the session; `until` is null while it is open. */
interface Connection {
  readonly from: number;
  readonly until: number | null;
}

/** `generation`: the one that begins with the step, or that is given, copied or used again. */
export interface Step {
  readonly kind: "begun" | "replayed" | "copied" | "reused";
  readonly generation: number;
  readonly at: number;
}

/** A time without network or server, or asleep; `until` is null while it lasts. */
export interface Span {
  readonly lane: Lane;
  readonly label: string;
  readonly from: number;
  readonly until: number | null;
}

export interface Flag {
  readonly lane: Lane;
  readonly at: number;
  readonly label: string;
  readonly tone: Tone;
}

/** More than an hour of an untouched page. */
const MOST_KEPT = 600;

const EMPTY: Recording = { entries: [], tracks: [], spans: [], flags: [] };

/** Keeps a recording; a new object after each change, so that what is drawn can be compared by identity. */
export class Recorder {
  readonly #clock: () => number;
  readonly #startedAt: number;
  readonly #listeners = new Set<() => void>();
  #recording = EMPTY;
  #entries = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#startedAt = clock();
  }

  get recording(): Recording {
    return this.#recording;
  }

  now(): number {
    return this.#clock() - this.#startedAt;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  say(who: Party, text: string, { tone = "calm", exchange = null }: Partial<LogEntry> = {}): void {
    this.#entries += 1;
    this.#add("entries", { id: this.#entries, at: this.now(), who, text, tone, exchange });
  }

  flag(lane: Lane, label: string, tone: Tone): void {
    this.#add("flags", { lane, at: this.now(), label, tone });
  }

  begin(lane: Lane, sessionId: string, generation: number): void {
    const at = this.now();
    const steps = [{ kind: "begun", generation, at }] as const;
    const empty = { accessTokens: [], connections: [], steps };
    this.#add("tracks", { lane, sessionId, startedAt: at, end: null, ...empty });
  }

  step(lane: Lane, kind: Step["kind"], generation: number): void {
    this.#addToTrack(lane, "steps", { kind, generation, at: this.now() });
  }

  accessToken(lane: Lane, token: AccessToken): void {
    this.#addToTrack(lane, "accessTokens", token);
  }

  connect(lane: Lane): void {
    this.#addToTrack(lane, "connections", { from: this.now(), until: null });
  }

  disconnect(lane: Lane): void {
    const until = this.now();
    this.#changeLast("tracks", lane, (track) => ({
      ...track,
      connections: track.connections.map((open) => ({ ...open, until: open.until ?? until })),
    }));
  }

  end(lane: Lane, how: TrackEnd["how"]): void {
    this.#changeLast("tracks", lane, (track) => ({ ...track, end: track.end ?? { at: this.now(), how } }));
  }

  openSpan(lane: Lane, label: string): void {
    this.#add("spans", { lane, label, from: this.now(), until: null });
  }

  closeSpan(lane: Lane): void {
    this.#changeLast("spans", lane, (span) => ({ ...span, until: span.until ?? this.now() }));
  }

  #add<Part extends keyof Recording>(part: Part, item: Recording[Part][number]): void {
    this.#become({ ...this.#recording, [part]: kept([...this.#recording[part], item]) });
  }

  #addToTrack<Part extends "steps" | "accessTokens" | "connections">(
    lane: Lane,
    part: Part,
    item: Track[Part][number],
  ): void {
    this.#changeLast("tracks", lane, (track) => ({ ...track, [part]: kept([...track[part], item]) }));
  }

  #changeLast<Part extends "tracks" | "spans">(
    part: Part,
    lane: Lane,
    change: (item: Recording[Part][number]) => Recording[Part][number],
  ): void {
    const items = [...this.#recording[part]];
    const at = items.findLastIndex((item) => item.lane === lane);
    const last = items[at];
    if (last === undefined) return;
    items[at] = change(last);
    this.#become({ ...this.#recording, [part]: items });
  }

  #become(recording: Recording): void {
    this.#recording = recording;
    for (const listener of this.#listeners) listener();
  }
}

function kept<T>(items: readonly T[]): readonly T[] {
  return items.slice(-MOST_KEPT);
}
