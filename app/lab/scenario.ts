import type { LabClient } from "./lab-client.ts";
import type { Recorder } from "./recording.ts";
import type { Wire } from "./wire.ts";

/** What the page knows of the server that it runs on. */
export interface LabSettings {
  readonly accessTokenSeconds: number;
  readonly cookieName: string;
  readonly leewaySeconds: number;
  /** Whether something starts the server again when it ends. */
  readonly isSupervised: boolean;
}

/** What a scenario works with. The client is signed in when it begins, and does not renew by itself until it is over. */
export interface Stage {
  readonly client: LabClient;
  readonly wire: Wire;
  readonly recorder: Recorder;
  readonly settings: LabSettings;
  /** Resolves after `ms`; rejects when the page is left. */
  pause(ms: number): Promise<void>;
}

export interface Scenario {
  /** What its button says. */
  readonly name: string;
  readonly summary: string;
  /** The rule of the protocol that it shows; said when it is over. */
  readonly rule: string;
  /** Why it cannot be shown on this server; null if it can. Default: it always can. */
  unavailable?(settings: LabSettings): string | null;
  run(stage: Stage): Promise<void>;
}

/** Between steps, so that they stand apart in the picture. */
export const STEP_MS = 1_500;
