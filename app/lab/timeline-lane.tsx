import type { AccessToken, Flag, Lane, Recorder, Span, Tone, Track } from "./recording.ts";
import {
  beginning,
  copies,
  fits,
  LANE,
  placeFlags,
  placeTokens,
  reach,
  teeth,
  type View,
} from "./timeline-layout.ts";

const FILL: Record<Tone, string> = {
  calm: "fill-edge",
  good: "fill-accent",
  notice: "fill-notice",
  danger: "fill-danger",
};
const TEXT: Record<Tone, string> = { ...FILL, calm: "fill-muted" };

interface LaneProps {
  lane: Lane;
  /** Where in the picture it begins. */
  top: number;
  view: View;
  recorder: Recorder;
}

/** The sessions of one lane: their access tokens, their generations, and what happened to them. */
export function TimelineLane({ lane, top, view, recorder: { tracks, spans, flags } }: LaneProps) {
  const isHere = (item: { lane: Lane }) => item.lane === lane;
  return (
    <g transform={`translate(0 ${top})`}>
      {spans.filter(isHere).map((span) => (
        <Away key={span.from} span={span} view={view} />
      ))}
      <Flags flags={flags.filter(isHere)} view={view} />
      {tracks.filter(isHere).map((track) => (
        <g key={track.startedAt}>
          <SessionLine track={track} view={view} />
          <Connections track={track} view={view} />
          <AccessTokens track={track} view={view} />
          <Rack track={track} view={view} />
        </g>
      ))}
    </g>
  );
}

interface TrackProps {
  track: Track;
  view: View;
}

function SessionLine({ track, view }: TrackProps) {
  const from = view.x(track.startedAt);
  const until = view.x(reach(track, view));
  const y = LANE.session;
  return (
    <g>
      <path d={`M${from} ${y}H${until}`} className="stroke-wash" strokeWidth="16" strokeLinecap="round" />
      <path
        d={`M${from + 14} ${y}H${Math.max(from + 14, until)}`}
        className={`stroke-accent ${track.end === null ? "stream-flow" : ""}`}
        strokeWidth="4"
        strokeLinecap="round"
        strokeDasharray="2 10"
      />
      <circle cx={from} cy={y} r="8" className="fill-accent" />
      {track.end === null && <circle cx={until} cy={y} r="5" className="fill-accent" />}
      {track.end?.how === "signed-out" && (
        <circle cx={until} cy={y} r="7" className="fill-surface stroke-accent" strokeWidth="3" />
      )}
      {track.end?.how === "revoked" && (
        <g>
          <circle cx={until} cy={y} r="9" className="fill-danger" />
          <path
            d={`M${until - 3.5} ${y - 3.5}l7 7m0 -7l-7 7`}
            className="stroke-surface"
            strokeWidth="2"
            strokeLinecap="round"
          />
        </g>
      )}
    </g>
  );
}

/** Each event stream, from when it was opened until it was closed: it outlives the access token that opened it. */
function Connections({ track, view }: TrackProps) {
  const y = LANE.connection;
  return track.connections.map(({ from, until }) => {
    const left = view.x(from);
    const right = Math.max(left + 2, view.x(until ?? view.now));
    return (
      <path
        key={from}
        d={`M${left} ${y - 3.5}v7M${left} ${y}H${right}${until === null ? "" : "m0 -3.5v7"}`}
        className="stroke-edge"
        fill="none"
        strokeWidth="2"
        strokeLinecap="round"
      />
    );
  });
}

function AccessTokens({ track, view }: TrackProps) {
  return placeTokens(track.accessTokens).map(({ token, y }) =>
    token.arrived ? (
      <AccessBar key={token.from} token={token} y={y} track={track} view={view} />
    ) : (
      <LostToken key={token.from} x={view.x(token.from)} y={y} />
    ),
  );
}

interface AccessBarProps extends TrackProps {
  token: AccessToken;
  y: number;
}

/** Its whole life as an outline, filled as far as it has come. */
function AccessBar({ token: { generation, from, until, renewalAt }, y, track, view }: AccessBarProps) {
  const isPast = track.end !== null || until <= view.now;
  const isCut = track.end?.how === "revoked" && until > track.end.at;
  const left = view.x(from);
  const whole = Math.max(0, view.x(Math.min(until, view.until + 1_000)) - left);
  const spent = Math.max(0, view.x(Math.min(until, reach(track, view))) - left);
  const label = `token ${generation}`;
  return (
    <g>
      <rect
        x={left}
        y={y}
        width={whole}
        height={LANE.accessHeight}
        rx="10"
        className={`fill-surface ${isCut ? "stroke-danger" : "stroke-edge"}`}
        strokeDasharray="3 4"
      />
      <rect
        x={left}
        y={y}
        width={spent}
        height={LANE.accessHeight}
        rx={Math.min(10, spent / 2)}
        className={isPast ? "fill-wash stroke-accent" : "fill-accent"}
      />
      {spent > 20 && (
        <text
          x={left + 10}
          y={y + 14}
          className={`text-[11px] font-medium ${isPast ? "fill-accent" : "fill-on-accent"}`}
        >
          {fits(label, spent) ? label : generation}
        </text>
      )}
      {renewalAt !== null && !isCut && (
        <circle
          cx={view.x(renewalAt)}
          cy={y + LANE.accessHeight / 2}
          r="3.5"
          className="fill-surface stroke-accent"
          strokeWidth="1.5"
        />
      )}
    </g>
  );
}

/** A token that was issued and never arrived. */
function LostToken({ x, y }: { x: number; y: number }) {
  return (
    <g className="stroke-notice" strokeLinecap="round">
      <rect
        x={x}
        y={y}
        width="24"
        height={LANE.accessHeight}
        rx="10"
        className="fill-notice-wash"
        strokeDasharray="3 3"
      />
      <path d={`M${x + 8.5} ${y + 6.5}l7 7m0 -7l-7 7`} strokeWidth="1.75" />
    </g>
  );
}

/** A time without network or server, or asleep. */
function Away({ span: { from, until, label }, view }: { span: Span; view: View }) {
  const left = view.x(from);
  const width = Math.max(2, view.x(until ?? view.now) - left);
  return (
    <g>
      <rect x={left} y="0" width={width} height={LANE.under + 4} rx="8" className="fill-notice-wash" />
      {fits(label, width) && (
        <text x={left + 8} y={LANE.away} className="fill-notice text-[11px] font-medium">
          {label}
        </text>
      )}
    </g>
  );
}

function Flags({ flags, view }: { flags: readonly Flag[]; view: View }) {
  return placeFlags(flags, view).map(({ flag: { at, label, tone }, x, y }) => (
    <g key={at}>
      <path d={`M${x} ${LANE.session}V${y}`} className="stroke-line" />
      <circle cx={x} cy={y} r="3.5" className={FILL[tone]} />
      <text x={x + 8} y={y + 4} className={`text-[11px] font-medium ${TEXT[tone]}`}>
        {label}
      </text>
    </g>
  ));
}

/**
 * The refresh tokens of a session. Each generation is a tooth: it rises while the token ages, and drops when the next one
 * takes its place.
 */
function Rack({ track, view }: TrackProps) {
  const base = LANE.rack;
  const rack = teeth(track, view);
  const last = track.end?.how === "revoked" ? TOOTH.revoked : TOOTH.present;
  return (
    <g>
      {rack.map(({ generation, x, end, height }) => (
        <path
          key={generation}
          d={`M${x} ${base}L${end} ${base - height}V${base}Z`}
          className="fill-wash stroke-accent"
          strokeWidth="1.5"
          strokeLinejoin="round"
        />
      ))}
      <Replays track={track} view={view} />
      <Copies track={track} view={view} />
      {rack.map(({ generation, x, isLast }) => {
        const look = isLast ? last : TOOTH.past;
        return (
          <g key={generation}>
            <circle cx={x} cy={base} r="10.5" strokeWidth="1.5" className={look.circle} />
            <text
              x={x}
              y={base + 4}
              textAnchor="middle"
              className={`font-mono text-[11px] font-medium ${look.text}`}
            >
              {generation}
            </text>
          </g>
        );
      })}
    </g>
  );
}

const TOOTH = {
  past: { circle: "fill-surface stroke-accent", text: "fill-ink" },
  present: { circle: "fill-accent stroke-accent", text: "fill-on-accent" },
  revoked: { circle: "fill-danger-wash stroke-danger", text: "fill-danger" },
};

/** The identical successor, given again: from the retry back to where its generation began. */
function Replays({ track, view }: TrackProps) {
  return track.steps
    .filter(({ kind }) => kind === "replayed")
    .map(({ generation, at }) => {
      const to = view.x(beginning(track, generation) ?? at);
      const from = Math.max(view.x(at), to + 26);
      return (
        <g key={at}>
          <path
            d={`M${from} ${LANE.rack + 3}C${from} ${LANE.under + 12} ${to} ${LANE.under + 12} ${to} ${LANE.rack + 17}`}
            className="fill-transparent stroke-accent"
            strokeWidth="2"
          />
          <path d={`M${to - 4.5} ${LANE.rack + 19}L${to} ${LANE.rack + 12}l4.5 7z`} className="fill-accent" />
          <circle cx={from} cy={LANE.rack} r="5" className="fill-surface stroke-accent" strokeWidth="2" />
        </g>
      );
    });
}

/** A copy of a token runs beside the rack, and comes back to it when it is used. */
function Copies({ track, view }: TrackProps) {
  return copies(track, view).map(({ from, until, reused }) => {
    const left = view.x(from);
    const right = view.x(until);
    return (
      <g key={from} className="stroke-danger" strokeWidth="2" strokeLinecap="round">
        <path
          d={`M${left} ${LANE.rack}V${LANE.under - 6}q0 6 6 6H${Math.max(left + 6, right)}${reused === null ? "" : `V${LANE.rack + 8}`}`}
          strokeDasharray="4 5"
          className="fill-transparent"
        />
        {reused !== null && <path d={`M${right - 6} ${LANE.rack - 6}l12 12m0 -12l-12 12`} strokeWidth="3" />}
      </g>
    );
  });
}
