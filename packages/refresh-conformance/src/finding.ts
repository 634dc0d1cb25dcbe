/** What came of a scenario. */
export interface Finding {
  readonly holds: boolean;
  /** Sessions, or interleavings, that were tried. */
  readonly tried: number;
  /** What happened, in words for a person. */
  readonly observed: string;
}

/** Plays a round as often as is asked. A round gives null if the rule held, else what happened. */
export async function inRounds(
  count: number,
  held: string,
  round: (index: number) => Promise<string | null>,
): Promise<Finding> {
  const broken: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const observed = await round(index);
    if (observed !== null) broken.push(observed);
  }
  const [first] = broken;
  if (first === undefined) return { holds: true, tried: count, observed: held };
  const share = count === 1 ? "" : `${broken.length} of ${count}: `;
  return { holds: false, tried: count, observed: share + first };
}
