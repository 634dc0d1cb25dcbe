/** Makes a `start` that calls `run` and returns what stops it. A second call while it runs starts nothing. */
export function startOnce(run: () => () => void): () => () => void {
  let running: (() => void) | undefined;
  return () => {
    running ??= run();
    const stop = running;
    return () => {
      if (running !== stop) return;
      running = undefined;
      stop();
    };
  };
}
