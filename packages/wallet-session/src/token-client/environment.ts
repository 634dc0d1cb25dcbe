import { browserEnvironment, type ClientEnvironment } from "../client/environment.ts";

/** What a token client takes from the program it runs in. A test can replace each part. */
export interface TokenClientEnvironment
  extends Pick<ClientEnvironment, "after" | "random" | "newRetryKey" | "onWake"> {
  /** Milliseconds since 1970. A program that starts again goes by the times that the one before has stored. */
  now(): number;
}

export function programEnvironment(): TokenClientEnvironment {
  const { after, random, newRetryKey, onWake } = browserEnvironment();
  return { after, random, newRetryKey, onWake, now: () => Date.now() };
}
