import type { Track } from "./recording.ts";
import { beginning, copies, LANE, teeth, type View } from "./timeline-layout.ts";

interface RackProps {
  track: Track;
  view: View;
}

/**
 * The refresh tokens of a session. Each generation is a tooth: it rises while the token ages, and drops when the next one
 * takes its place.
 */
export function TimelineRack({ track, view }: RackProps) {
  const base = LANE.rack;
  const isRevoked = track.end?.how === "revoked";
  const rack = teeth(track, view);
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
      {rack.map(({ generation, x, isLast }) => (
        <g key={generation}>
          <circle
            cx={x}
            cy={base}
            r="10.5"
            strokeWidth="1.5"
            className={
              isLast && isRevoked
                ? "fill-danger-wash stroke-danger"
                : isLast
                  ? "fill-accent stroke-accent"
                  : "fill-surface stroke-accent"
            }
          />
          <text
            x={x}
            y={base + 4}
            textAnchor="middle"
            className={`font-mono text-[11px] font-medium ${isLast && isRevoked ? "fill-danger" : isLast ? "fill-on-accent" : "fill-ink"}`}
          >
            {generation}
          </text>
        </g>
      ))}
    </g>
  );
}

/** The identical successor, given again: from the retry back to where its generation began. */
function Replays({ track, view }: RackProps) {
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
function Copies({ track, view }: RackProps) {
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
