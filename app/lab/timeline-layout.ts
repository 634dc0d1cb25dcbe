import type { AccessToken, Flag, Recorder, Track } from "./recording.ts";

/** The picture's measures, in pixels. Time runs to the right, one lane below the other. */
const PX_PER_SECOND = 12;
const PADDING = 18;
/** What is drawn of the past, and of what is to come. */
const PAST_MS = 240_000;
const FUTURE_MS = 22_000;
/** The axis is drawn this far at least, so that it fills a wide page from the start. */
const AXIS_MS = 100_000;
/** How long the picture goes on after the last session has ended. */
const AFTERGLOW_MS = 4_000;
const FLAG_ROWS = 3;
const FLAG_GAP = 14;
const CHARACTER = 6.4;

export const AXIS_HEIGHT = 26;
export const LANE_HEIGHT = 304;
/** Within a lane, from its top. */
export const LANE = {
  sessionCaption: 4,
  session: 36,
  connection: 54,
  away: 84,
  accessCaption: 66,
  access: [92, 116],
  accessHeight: 20,
  generationCaption: 148,
  rack: 200,
  tooth: 32,
  under: 228,
  flags: 250,
  flagStep: 19,
} as const;

/** The scale of the picture at one moment. */
export interface View {
  /** How far the picture has come. */
  readonly now: number;
  readonly from: number;
  readonly until: number;
  readonly width: number;
  x(at: number): number;
}

export function viewAt({ tracks, entries }: Recorder, clock: number): View {
  const isLive = tracks.some(({ end }) => end === null);
  const last = entries.at(-1)?.at ?? 0;
  const now = isLive ? clock : Math.min(clock, last + AFTERGLOW_MS);
  const from = Math.max(0, now - PAST_MS);
  const until = now + FUTURE_MS;
  const x = (at: number) => PADDING + ((at - from) / 1_000) * PX_PER_SECOND;
  return { now, from, until, width: x(until), x };
}

/** The seconds to mark on the axis. */
export function ticks({ from, until }: View): number[] {
  const first = Math.ceil(from / 5_000);
  const last = Math.floor(Math.max(until, from + AXIS_MS) / 5_000);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * 5_000);
}

/** The tokens that arrived take turns in two rows, since each begins before the last has ended; a lost one stands aside. */
export function placeTokens(tokens: readonly AccessToken[]) {
  let arrived = 0;
  return tokens.map((token) => {
    const y = LANE.access[arrived % 2] ?? LANE.access[0];
    if (token.arrived) arrived += 1;
    return { token, y };
  });
}

/** Whether a label of this many characters fits into a width. */
export function fits(label: string, width: number): boolean {
  return width > label.length * CHARACTER + 12;
}

/** When the track ends, or how far it has come. */
export function reach(track: Track, { now }: View): number {
  return track.end?.at ?? now;
}

/** The rack of the ratchet: one tooth for each generation, rising until the next one drops into place. */
export function teeth(track: Track, view: View) {
  const begun = track.steps.filter(({ kind }) => kind === "begun");
  const lifetimeMs = Math.max(1, ...track.accessTokens.map(({ from, until }) => until - from));
  return begun.map(({ generation, at }, index) => {
    const next = begun[index + 1];
    const end = next?.at ?? Math.max(at, reach(track, view));
    // To its full height when the access token of its generation has ended.
    const height = LANE.tooth * Math.min(1, (end - at) / lifetimeMs);
    return { generation, x: view.x(at), end: view.x(end), height, isLast: next === undefined };
  });
}

/** Where a generation began. */
export function beginning(track: Track, generation: number): number | null {
  return track.steps.find((step) => step.kind === "begun" && step.generation === generation)?.at ?? null;
}

/** The copied tokens, and for how long each existed. */
export function copies(track: Track, view: View) {
  return track.steps
    .filter(({ kind }) => kind === "copied")
    .map((copied) => {
      const reused = track.steps.find(({ kind, at }) => kind === "reused" && at >= copied.at) ?? null;
      return { from: copied.at, until: reused?.at ?? reach(track, view), reused };
    });
}

/** Gives each flag the first row where it covers no other; where all are taken, the one that is free soonest. */
export function placeFlags(flags: readonly Flag[], view: View) {
  const taken = new Array<number>(FLAG_ROWS).fill(Number.NEGATIVE_INFINITY);
  return flags.map((flag) => {
    const x = view.x(flag.at);
    const free = taken.findIndex((until) => until <= x);
    const row = free >= 0 ? free : taken.indexOf(Math.min(...taken));
    taken[row] = x + FLAG_GAP + flag.label.length * CHARACTER;
    return { flag, x, y: LANE.flags + row * LANE.flagStep };
  });
}
