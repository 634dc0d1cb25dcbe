"use client";

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Lane, Recorder } from "./recording.ts";
import { TimelineLane } from "./timeline-lane.tsx";
import { AXIS_HEIGHT, LANE, LANE_HEIGHT, ticks, type View, viewAt } from "./timeline-layout.ts";

const FRAME_MS = 100;
/** For people who asked for less motion. */
const STILL_FRAME_MS = 1_000;

const LANES: readonly { lane: Lane; session: string }[] = [
  { lane: "body", session: "Session, and the event stream that watches it" },
  { lane: "cookie", session: "Session, tokens in this browser's cookies" },
  { lane: "bound", session: "Session that is bound to a key" },
];

/** The life of the sessions as a picture that grows to the right. The log beside it says the same in words. */
export function Timeline({ recorder }: { recorder: Recorder }) {
  const view = viewAt(recorder, useFrames(recorder));
  const following = useFollowing(view.x(view.now));
  const lanes = LANES.filter(({ lane }) => recorder.tracks.some((track) => track.lane === lane));
  const height = AXIS_HEIGHT + lanes.length * LANE_HEIGHT;

  return (
    <figure className="relative mt-6">
      <section
        {...following}
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
          <Axis view={view} height={height} />
          {lanes.map(({ lane }, index) => (
            <TimelineLane
              key={lane}
              lane={lane}
              top={AXIS_HEIGHT + index * LANE_HEIGHT}
              view={view}
              recorder={recorder}
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
      <figcaption>
        <dl className="mt-3 flex flex-wrap gap-x-6 gap-y-1.5 text-xs text-muted">
          {LEGEND.map(([name, text]) => (
            <div key={name} className="flex gap-1.5">
              <dt className="font-medium text-ink">{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </figcaption>
    </figure>
  );
}

const LEGEND = [
  ["Line:", "the session, one signature long; below it the event stream"],
  ["Bar:", "an access token, with a dot where it is to be renewed"],
  ["Tooth:", "a generation of the refresh token: a ratchet turns one way only"],
  ["Arrow:", "a retry, given the same one again"],
  ["Red dashes:", "a copy in other hands"],
] as const;

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
function useFollowing(present: number) {
  const ref = useRef<HTMLElement>(null);
  const follows = useRef(true);
  const target = useRef(0);

  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const last = element.scrollWidth - element.clientWidth;
    target.current = Math.min(last, Math.max(0, present - PRESENT_AT * element.clientWidth));
    if (follows.current) element.scrollTo({ left: target.current });
  }, [present]);

  const leave = () => {
    follows.current = false;
  };
  const comeBack = ({ currentTarget: { scrollLeft } }: { currentTarget: HTMLElement }) => {
    if (Math.abs(scrollLeft - target.current) < FOLLOWS_WITHIN_PX) follows.current = true;
  };
  return {
    ref,
    onPointerDown: leave,
    onWheel: ({ deltaX }: { deltaX: number }) => deltaX !== 0 && leave(),
    onKeyDown: ({ key }: { key: string }) => SIDEWAYS.includes(key) && leave(),
    onPointerUp: comeBack,
    onScrollEnd: comeBack,
  };
}
