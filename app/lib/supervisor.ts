/** Given by `npm run lab` to the server it supervises: with this exit code it is started again. */
const EXIT_CODE = "LAB_RESTART_EXIT_CODE";
/** Long enough for the answer that announces it to leave. */
const ENDS_AFTER_MS = 100;

/** Whether another process takes the place of this one when it ends. */
export function isSupervised(): boolean {
  return Boolean(process.env[EXIT_CODE]);
}

/** Ends this process in a moment, in the middle of whatever it does then: what a crash is like, too. */
export function endProcess(): void {
  setTimeout(() => process.exit(Number(process.env[EXIT_CODE])), ENDS_AFTER_MS);
}
