/** More changes than this, and it is another word. */
const CHANGES_MAX = 2;

/** The word that was probably meant: the one that takes the fewest changes of a letter, if they are few. */
export function nearest(typed: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = CHANGES_MAX + 1;
  for (const word of words) {
    // The first word of two may be all that was typed, or all that was right.
    const changes = Math.min(distance(typed, word), distance(typed.split(" ")[0] ?? "", word));
    if (changes < fewest) [best, fewest] = [word, changes];
  }
  return best;
}

/** Levenshtein's: letters added, removed or replaced. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
