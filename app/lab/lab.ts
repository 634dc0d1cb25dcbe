import { explain } from "../components/explain.ts";
import { LabClient } from "./lab-client.ts";
import { Recorder } from "./recording.ts";
import type { LabSettings, Scenario } from "./scenario.ts";
import { Wire } from "./wire.ts";

/** One client, its wire to the server and the recording of what they do; runs one scenario at a time. */
export class Lab {
  readonly recorder = new Recorder(() => this.#changed());
  readonly #wire = new Wire();
  readonly client = new LabClient(this.#wire, this.recorder, () => this.#changed());
  readonly #settings: LabSettings;
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #running: string | null = null;
  #leaving = new AbortController();

  constructor(settings: LabSettings) {
    this.#settings = settings;
  }

  /** What is being shown, by its name; null while nothing is. */
  get running(): string | null {
    return this.#running;
  }

  /** Rises with each change of what runs, of what the client holds and of the log. */
  get version(): number {
    return this.#version;
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
      this.client.stop();
    };
  }

  /** Begins a session, or ends the one there is. */
  async toggleSession(): Promise<void> {
    const { client } = this;
    if (client.held === null) await this.#alone("Start", () => client.signIn());
    else await this.#alone("End", () => client.signOut());
  }

  async run(scenario: Scenario): Promise<void> {
    const { client, recorder } = this;
    await this.#alone(scenario.name, async () => {
      if (client.held === null && !(await client.signIn())) return;
      recorder.say("Lab", `${scenario.name}. ${scenario.summary}`);
      const pause = (ms: number) => this.#pause(ms);
      await scenario.run({ client, wire: this.#wire, recorder, settings: this.#settings, pause });
      recorder.say("The rule", scenario.rule);
    });
  }

  async #alone(name: string, task: () => Promise<unknown>): Promise<void> {
    if (this.#running !== null) return;
    this.#running = name;
    this.#changed();
    this.client.stopRenewing();
    try {
      await task();
    } catch (error) {
      if (this.#leaving.signal.aborted) return;
      this.recorder.say("Lab", `${name} was broken off. ${explain(error)}`, { tone: "danger" });
    } finally {
      this.#running = null;
      this.#changed();
    }
    this.client.startRenewing();
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#leaving;
    return new Promise((resolve, reject) => {
      setTimeout(resolve, ms);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  #changed(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}
