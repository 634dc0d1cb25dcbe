const TOKENS = [0, 1, 2, 3, 4];
const TOKEN_WIDTH = 128;
/** Less than the width: each one begins before the last has ended. */
const STEP = 106;

/** How a session outlives its access tokens. */
export function SessionTimeline() {
  return (
    <figure className="mt-12 max-w-xl text-xs text-muted">
      <p aria-hidden="true">Access tokens, minutes each</p>
      <svg
        viewBox="0 0 560 112"
        role="img"
        aria-label="Short-lived access tokens, each renewed before it ends, above one session that runs on without a break."
        className="mt-2 h-auto w-full"
      >
        {TOKENS.map((index) => (
          <rect
            key={index}
            x={1 + index * STEP}
            y={index % 2 === 0 ? 2 : 32}
            width={TOKEN_WIDTH}
            height="22"
            rx="11"
            className={index === TOKENS.length - 1 ? "fill-accent stroke-accent" : "fill-wash stroke-accent"}
            strokeWidth="1.5"
          />
        ))}
        <path d="M12 92H548" className="stroke-wash" strokeWidth="16" strokeLinecap="round" />
        <path d="M30 92H548" className="stream-flow stroke-accent" strokeWidth="4" strokeLinecap="round" />
        <circle cx="12" cy="92" r="8" className="fill-accent" />
      </svg>
      <figcaption className="mt-2 flex justify-between">
        <span>Your wallet signs</span>
        <span>Your session, still the same one</span>
      </figcaption>
    </figure>
  );
}
