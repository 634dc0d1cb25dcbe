"use client";

import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Lane, Recorder, Recording } from "./recording.ts";
import { TimelineLane } from "./timeline-lane.tsx";
import { AXIS_HEIGHT, LANE, LANE_HEIGHT, ticks, type View, viewAt } from "./timeline-layout.ts";

const FRAME_MS = 100;
/** For people who asked for less motion. */
const STILL_FRAME_MS = 1_000;

const LANES: readonly { lane: Lane; session: string }[] = [
  { lane: "body", session: "Session, and the event stream that watches it" },
  { lane: "cookie", session: "Session, tokens in this browser's cookies" },
];

/** The life of the sessions as a picture that grows to the right. The log beside it says the same in words. */
export function Timeline({ recording, recorder }: { recording: Recording; recorder: Recorder }) {
  const clock = useFrames(recorder);
  const region = useRef<HTMLElement>(null);
  const view = viewAt(recording, clock);
  const lanes = LANES.filter(({ lane }) => recording.tracks.some((track) => track.lane === lane));
  const height = AXIS_HEIGHT + lanes.length * LANE_HEIGHT;

  useFollowing(region, view.x(view.now));

  return (
    <figure className="relative mt-6">
      <section
        ref={region}
        aria-label="The picture; it scrolls sideways"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must be able to reach it
        tabIndex={0}
        className="overflow-x-auto rounded-xl bg-sunken"
      >
        <svg
          role="img"
          aria-label="One line for the session, above bars for its access tokens and a rack with a tooth for each generation of its refresh token. The log says in words what it shows."
          width={view.width}
          height={height}
          className="block min-w-full"
        >
          <defs>
            <pattern
              id="lab-away"
              width="8"
              height="8"
              patternUnits="userSpaceOnUse"
              patternTransform="rotate(45)"
            >
              <rect width="8" height="8" className="fill-notice-wash" />
              <path d="M0 0V8" className="stroke-notice" strokeOpacity="0.25" strokeWidth="3" />
            </pattern>
          </defs>
          <Axis view={view} height={height} />
          {lanes.map(({ lane }, index) => (
            <TimelineLane
              key={lane}
              top={AXIS_HEIGHT + index * LANE_HEIGHT}
              view={view}
              tracks={recording.tracks.filter((track) => track.lane === lane)}
              spans={recording.spans.filter((span) => span.lane === lane)}
              flags={recording.flags.filter((flag) => flag.lane === lane)}
            />
          ))}
          <path
            d={`M${view.x(view.now)} ${AXIS_HEIGHT}V${height}`}
            className="stroke-accent"
            strokeOpacity="0.6"
          />
        </svg>
      </section>
      {lanes.map(({ lane, session }, index) => (
        <Captions key={lane} top={AXIS_HEIGHT + index * LANE_HEIGHT} session={session} />
      ))}
      <Legend />
    </figure>
  );
}

function Axis({ view, height }: { view: View; height: number }) {
  return ticks(view).map((at) => {
    const x = view.x(at);
    return (
      <g key={at}>
        <path d={`M${x} ${AXIS_HEIGHT}V${height}`} className="stroke-line" strokeOpacity="0.6" />
        {at % 10_000 === 0 && (
          <text x={x} y="17" textAnchor="middle" className="fill-muted font-mono text-[11px]">
            {at / 1_000} s
          </text>
        )}
      </g>
    );
  });
}

/** Stay where they are while the picture moves below them. */
function Captions({ top, session }: { top: number; session: string }) {
  const captions = [
    [LANE.sessionCaption, session],
    [LANE.accessCaption, "Access tokens"],
    [LANE.generationCaption, "Refresh token, by generation"],
  ] as const;
  return captions.map(([y, text]) => (
    <p
      key={y}
      aria-hidden="true"
      style={{ top: top + y }}
      className="pointer-events-none absolute left-2 rounded bg-sunken/85 px-1.5 text-[11px] leading-4 text-muted"
    >
      {text}
    </p>
  ));
}

const LEGEND: readonly { glyph: ReactNode; text: string }[] = [
  {
    glyph: (
      <>
        <path d="M4 8H24" className="stroke-wash" strokeWidth="9" strokeLinecap="round" />
        <path
          d="M10 8H26"
          className="stroke-accent"
          strokeWidth="3"
          strokeLinecap="round"
          strokeDasharray="1 6"
        />
        <circle cx="4" cy="8" r="4" className="fill-accent" />
      </>
    ),
    text: "the session, one signature long; below it the event stream",
  },
  {
    glyph: (
      <>
        <rect x="1" y="3" width="26" height="10" rx="5" className="fill-wash stroke-accent" />
        <circle cx="19" cy="8" r="2" className="fill-surface stroke-accent" />
      </>
    ),
    text: "an access token, and when it is to be renewed",
  },
  {
    glyph: (
      <path d="M2 13L25 3V13Z" className="fill-wash stroke-accent" strokeWidth="1.5" strokeLinejoin="round" />
    ),
    text: "a generation of the refresh token: a ratchet turns one way only",
  },
  {
    glyph: (
      <>
        <path d="M23 3C23 16 7 16 7 7" className="fill-transparent stroke-accent" strokeWidth="2" />
        <path d="M3 8L7 2l4 6z" className="fill-accent" />
      </>
    ),
    text: "a retry, given the same one again",
  },
  {
    glyph: (
      <path
        d="M3 2V12H24V5"
        className="fill-transparent stroke-danger"
        strokeWidth="2"
        strokeLinecap="round"
        strokeDasharray="3 4"
      />
    ),
    text: "a copy in other hands",
  },
];

function Legend() {
  return (
    <figcaption>
      <ul className="mt-3 flex flex-wrap gap-x-6 gap-y-1.5 text-xs text-muted">
        {LEGEND.map(({ glyph, text }) => (
          <li key={text} className="flex items-center gap-2">
            <svg aria-hidden="true" viewBox="0 0 28 16" className="h-4 w-7 shrink-0">
              {glyph}
            </svg>
            {text}
          </li>
        ))}
      </ul>
    </figcaption>
  );
}

/** The recording's time, updated for each frame. */
function useFrames(recorder: Recorder): number {
  const [now, setNow] = useState(() => recorder.now());
  useEffect(() => {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const timer = setInterval(() => setNow(recorder.now()), isStill ? STILL_FRAME_MS : FRAME_MS);
    return () => clearInterval(timer);
  }, [recorder]);
  return now;
}

/** Where the present stands while the picture is followed, as a share of what is seen of it. */
const PRESENT_AT = 0.75;
/** How far from there a person may have gone and still follow. */
const FOLLOWS_WITHIN_PX = 60;
const SIDEWAYS = ["ArrowLeft", "ArrowRight", "Home", "End"];

/**
 * Keeps the present in sight as it moves to the right; `present`: where in the picture it is. It leaves people
 * alone who scroll elsewhere, and follows again once they are back at the present.
 */
function useFollowing(region: RefObject<HTMLElement | null>, present: number): void {
  const follows = useRef(true);
  const target = useRef(0);

  useLayoutEffect(() => {
    const element = region.current;
    if (element === null) return;
    const last = element.scrollWidth - element.clientWidth;
    target.current = Math.min(last, Math.max(0, present - PRESENT_AT * element.clientWidth));
    if (follows.current) element.scrollTo({ left: target.current });
  }, [region, present]);

  useEffect(() => {
    const element = region.current;
    if (element === null) return;
    const listening = new AbortController();
    const { signal } = listening;
    const leave = () => {
      follows.current = false;
    };
    const comeBack = () => {
      if (Math.abs(element.scrollLeft - target.current) < FOLLOWS_WITHIN_PX) follows.current = true;
    };
    element.addEventListener("pointerdown", leave, { signal });
    element.addEventListener("wheel", ({ deltaX }) => deltaX !== 0 && leave(), { signal, passive: true });
    element.addEventListener("keydown", ({ key }) => SIDEWAYS.includes(key) && leave(), { signal });
    for (const event of ["pointerup", "scrollend"]) element.addEventListener(event, comeBack, { signal });
    return () => listening.abort();
  }, [region]);
}
