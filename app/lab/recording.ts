// What happened in a run of the lab. All times are in milliseconds since the recording began.

/** Good: what kept the session alive. Danger: what ended it. */
export type Tone = "calm" | "good" | "notice" | "danger";

/** Who speaks in the log; the rule: what a scenario has shown. */
export type Party =
  | "Lab"
  | "The rule"
  | "Client"
  | "Server"
  | "Event stream"
  | "Thief"
  | "Owner"
  | "Tab A"
  | "Tab B";

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

/** How a session's tokens travel, and whether it is bound to a key; each has a lane of its own in the picture. */
export type Lane = "body" | "cookie" | "bound";

/** One session as it is drawn. */
export interface Track {
  readonly lane: Lane;
  readonly startedAt: number;
  /** Unwatched: the session goes on, and the lab no longer looks. */
  end: { readonly at: number; readonly how: "revoked" | "signed-out" | "unwatched" } | null;
  readonly accessTokens: AccessToken[];
  /** Event streams on the session. */
  readonly connections: Stretch[];
  readonly steps: Step[];
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

/** A stretch of time; `until` is null while it lasts. */
interface Stretch {
  readonly from: number;
  until: number | null;
}

/** `generation`: the one that begins with the step, or that is given, copied or used again. */
interface Step {
  readonly kind: "begun" | "replayed" | "copied" | "reused";
  readonly generation: number;
  readonly at: number;
}

/** A time without network or server, or asleep. */
export interface Span extends Stretch {
  readonly lane: Lane;
  readonly label: string;
}

export interface Flag {
  readonly lane: Lane;
  readonly at: number;
  readonly label: string;
  readonly tone: Tone;
}

/** More than an hour of an untouched page. */
const MOST_KEPT = 600;

/** Keeps a recording. The picture is drawn anew for each frame; for the log, `onChange` tells of each entry. */
export class Recorder {
  readonly entries: LogEntry[] = [];
  readonly tracks: Track[] = [];
  readonly spans: Span[] = [];
  readonly flags: Flag[] = [];
  readonly #onChange: () => void;
  readonly #startedAt = performance.now();
  #entries = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  now(): number {
    return performance.now() - this.#startedAt;
  }

  say(who: Party, text: string, { tone = "calm", exchange = null }: Partial<LogEntry> = {}): void {
    this.#entries += 1;
    keep(this.entries, { id: this.#entries, at: this.now(), who, text, tone, exchange });
    this.#onChange();
  }

  flag(lane: Lane, label: string, tone: Tone): void {
    keep(this.flags, { lane, at: this.now(), label, tone });
  }

  begin(lane: Lane, generation: number): void {
    const empty = { end: null, accessTokens: [], connections: [], steps: [] };
    keep(this.tracks, { lane, startedAt: this.now(), ...empty });
    this.step(lane, "begun", generation);
  }

  /** A generation begins once. When it is given again, that is a replay. */
  step(lane: Lane, kind: Step["kind"], generation: number): void {
    const steps = this.#track(lane)?.steps;
    const again =
      kind === "begun" && steps?.some((step) => step.kind === kind && step.generation === generation);
    keep(steps, { kind: again === true ? "replayed" : kind, generation, at: this.now() });
  }

  accessToken(lane: Lane, token: AccessToken): void {
    keep(this.#track(lane)?.accessTokens, token);
  }

  connect(lane: Lane): void {
    keep(this.#track(lane)?.connections, { from: this.now(), until: null });
  }

  disconnect(lane: Lane): void {
    this.#close(this.#track(lane)?.connections.at(-1));
  }

  end(lane: Lane, how: NonNullable<Track["end"]>["how"]): void {
    const track = this.#track(lane);
    if (track !== undefined) track.end ??= { at: this.now(), how };
  }

  openSpan(lane: Lane, label: string): void {
    keep(this.spans, { lane, label, from: this.now(), until: null });
  }

  closeSpan(lane: Lane): void {
    this.#close(this.spans.findLast((span) => span.lane === lane));
  }

  #track(lane: Lane): Track | undefined {
    return this.tracks.findLast((track) => track.lane === lane);
  }

  #close(stretch: Stretch | undefined): void {
    if (stretch !== undefined) stretch.until ??= this.now();
  }
}

function keep<T>(items: T[] | undefined, item: T): void {
  if (items === undefined) return;
  items.push(item);
  if (items.length > MOST_KEPT) items.shift();
}
