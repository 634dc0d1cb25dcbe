import { STORE_STEP_TIMEOUT_MS } from "../../limits.ts";
import { StepTimeout } from "./faults.ts";

/** The time that one step has, tries included. */
export interface Deadline {
  readonly isOver: boolean;
  /** Called once it is over, unless the step has ended before. */
  whenOver(act: () => void): void;
}

/** @throws StepTimeout when the work takes longer than a step may */
export async function inTime<Output>(work: (deadline: Deadline) => Promise<Output>): Promise<Output> {
  const acts: (() => void)[] = [];
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const end = () => {
      isOver = true;
      for (const act of acts) act();
      reject(new StepTimeout(`Redis has not answered within ${STORE_STEP_TIMEOUT_MS / 1_000} s.`));
    };
    // Where it was this process that stood still, the answer may be there: what has arrived is read first.
    timer = setTimeout(() => setImmediate(end), STORE_STEP_TIMEOUT_MS);
  });
  const deadline: Deadline = {
    get isOver() {
      return isOver;
    },
    whenOver(act) {
      acts.push(act);
    },
  };
  try {
    return await Promise.race([work(deadline), over]);
  } finally {
    clearTimeout(timer);
  }
}
