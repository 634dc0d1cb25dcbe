/** A `start` that begins what `run` does and gives what stops it. Where it runs already, a second call starts nothing. */
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
