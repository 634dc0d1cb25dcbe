/** What limits long operations. Times in milliseconds. */

/** Streams that one operation may settle. */
export const OPERATION_MAX_STREAMS = 10_000;
/** 10,000 ids of 22 characters, with quotes, commas and blanks. */
export const OPERATION_MAX_BODY_BYTES = 512 * 1_024;
/** Failed steps that an operation names, with the reason of each; all of them are counted. */
export const FAILURES_LISTED = 20;
/** Operations in a list. */
export const OPERATIONS_LISTED = 50;

/** Operations that one process runs at the same time, taking turns. */
export const OPERATIONS_AT_ONCE = 8;
/** Operations of one actor that have not ended, paused ones too: half of what a process runs, so that others get on. */
export const OPERATIONS_OPEN_PER_ACTOR = 4;
/** What one actor may begin within this time: to write 10,000 steps takes a server a fifth of a second. */
export const ADMISSION_WINDOW_MS = 60_000;
export const OPERATIONS_ACCEPTED_PER_WINDOW = 30;
/**
 * How long a worker that is not heard of keeps its claim on an operation. Each step renews it. After that another worker takes
 * over; if the first is alive after all, it can record nothing more.
 */
export const CLAIM_MS = 5_000;
/** A claim that ends later than this from now was made by a clock that was set back since; two nodes' differ by less. */
export const CLAIM_MAX_AHEAD_MS = 60_000;
/** How often a worker looks for operations that another process accepted, or left. */
export const WORKER_POLL_MS = 1_000;
/** The pause before a step is tried again after a fault. */
export const STEP_RETRY_MS = 1_000;

/** The rate is that of the last window of at least this length; without a step for this long there is none. */
export const RATE_WINDOW_MS = 2_000;
export const RATE_STALE_MS = 10_000;

/** A watcher hears of progress at most this often. */
export const WATCH_INTERVAL_MS = 250;
