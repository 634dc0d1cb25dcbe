/** What limits a stream. Amounts in stroops, times in seconds. */

/** One unit of the asset in stroops: Stellar counts seven digits after the point. */
export const STROOPS_PER_UNIT = 10_000_000n;
/** The largest amount that Stellar, and a 64-bit column, can hold. */
export const AMOUNT_MAX_STROOPS = 2n ** 63n - 1n;

export const DURATION_MIN_SECONDS = 60;
/** Ten years of 365 days. */
export const DURATION_MAX_SECONDS = 315_360_000;

/** In code points, after the blanks around it are gone. */
export const TITLE_MAX_CHARS = 80;

/**
 * Streams of one sender that have not ended, drafts too: as many as one operation settles, so that "all" of a sender's own
 * always goes into one.
 */
export const STREAMS_OPEN_PER_SENDER = 10_000;

/** Streams that one sender makes in 24 hours, whatever became of them: each is kept. */
export const STREAMS_MADE_PER_DAY = 1_000;
export const DAY_MS = 86_400_000;

export const LIST_LIMIT_DEFAULT = 20;
export const LIST_LIMIT_MAX = 100;
/** Lines of a stream's history that are shown. */
export const HISTORY_SHOWN = 100;

export const STREAM_BODY_MAX_BYTES = 4 * 1_024;
/** A command begins anew this often when others are faster, or have a settlement of theirs under way. */
export const COMMAND_TRIES = 8;

/** How often an open page hears what an active stream has earned. */
export const ACCRUAL_EVERY_MS = 2_000;
