type Update<T> = (last: T | null) => T | null;

/**
 * Which answer counts, where loads overtake each other and news overtakes them: the one to the last question, with what
 * was learned while it was under way, since the server may have written it before that.
 */
export class LoadTurns<T> {
  #last = 0;
  #underWay = false;
  #learned: Update<T>[] = [];

  /** A question goes out. Its answer knows all that was learned before. */
  begin(): number {
    this.#last += 1;
    this.#underWay = true;
    this.#learned = [];
    return this.#last;
  }

  learn(update: Update<T>): void {
    if (this.#underWay) this.#learned.push(update);
  }

  /** The answer to the question `turn`, or the lack of one, has come. False where a later question has been asked. */
  end(turn: number): boolean {
    if (turn !== this.#last) return false;
    this.#underWay = false;
    return true;
  }

  /** What the answer to the last question comes to. */
  withLearned(loaded: T): T | null {
    return this.#learned.reduce<T | null>((last, update) => update(last), loaded);
  }
}
