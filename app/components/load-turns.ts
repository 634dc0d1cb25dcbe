type Update<T> = (last: T | null) => T | null;

/**
 * Decides which answer counts if loads and news overtake each other: the answer to the last question, with the news that came
 * while it was under way, since the server may have written the answer before that.
 */
export class LoadTurns<T> {
  #last = 0;
  #underWay = false;
  #learned: Update<T>[] = [];

  /** A question goes out. Its answer includes all news from before. */
  begin(): number {
    this.#last += 1;
    this.#underWay = true;
    this.#learned = [];
    return this.#last;
  }

  learn(update: Update<T>): void {
    if (this.#underWay) this.#learned.push(update);
  }

  /** The question `turn` was answered, or failed. False if a later question has been asked. */
  end(turn: number): boolean {
    if (turn !== this.#last) return false;
    this.#underWay = false;
    return true;
  }

  /** The answer to the last question, with the news that came meanwhile. */
  withLearned(loaded: T): T | null {
    return this.#learned.reduce<T | null>((last, update) => update(last), loaded);
  }
}
