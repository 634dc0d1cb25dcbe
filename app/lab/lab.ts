import { explain } from "../components/explain.ts";
import { type Held, LabClient } from "./lab-client.ts";
import { Recorder } from "./recording.ts";
import type { LabSettings, Scenario } from "./scenario.ts";
import { Wire } from "./wire.ts";

/** A new object after each change. */
interface LabState {
  readonly held: Held | null;
  /** What is being shown, by its name; null while nothing is. */
  readonly running: string | null;
}

/** One client, its wire to the server and the recording of what they do; runs one scenario at a time. */
export class Lab {
  readonly recorder = new Recorder();
  readonly #settings: LabSettings;
  readonly #wire = new Wire();
  readonly #client: LabClient;
  readonly #listeners = new Set<() => void>();
  #state: LabState = { held: null, running: null };
  #leaving = new AbortController();

  constructor(settings: LabSettings) {
    this.#settings = settings;
    this.#client = new LabClient(this.#wire, this.recorder, () => this.#change({ held: this.#client.held }));
  }

  get state(): LabState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The function returned ends what is under way: the page is left. */
  open(): () => void {
    this.#leaving = new AbortController();
    return () => {
      this.#leaving.abort();
      this.#client.stop();
    };
  }

  /** Begins a session, or ends the one there is. */
  async toggleSession(): Promise<void> {
    const { held } = this.#state;
    await this.#alone(held === null ? "Start" : "End", async () => {
      if (held === null) await this.#client.signIn();
      else await this.#client.signOut();
    });
  }

  async run(scenario: Scenario): Promise<void> {
    await this.#alone(scenario.name, async () => {
      if (this.#client.held === null && !(await this.#client.signIn())) return;
      this.recorder.say("lab", `${scenario.name}. ${scenario.summary}`);
      await scenario.run({
        client: this.#client,
        wire: this.#wire,
        recorder: this.recorder,
        settings: this.#settings,
        pause: (ms) => this.#pause(ms),
      });
      this.recorder.say("rule", scenario.rule);
    });
  }

  async #alone(name: string, task: () => Promise<void>): Promise<void> {
    if (this.#state.running !== null) return;
    this.#change({ running: name });
    this.#client.stopRenewing();
    try {
      await task();
    } catch (error) {
      if (this.#leaving.signal.aborted) return;
      this.recorder.say("lab", `${name} was broken off. ${explain(error)}`, { tone: "danger" });
    } finally {
      this.#change({ running: null });
    }
    this.#client.startRenewing();
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#leaving;
    return new Promise((resolve, reject) => {
      setTimeout(resolve, ms);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  #change(change: Partial<LabState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
