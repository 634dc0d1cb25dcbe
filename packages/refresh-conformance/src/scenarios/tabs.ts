import type { RefreshAnswer, Tokens } from "../adapter.ts";
import { type Finding, inRounds } from "../finding.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Refreshes at the same moment, round by round: a second tab, and a page with a call for each of its parts. */
const AT_ONCE = [2, 3, 16] as const;
const GENERATIONS = 3;

/** Two tabs send the same token at once. The answers in the order of their arrival. */
async function together(stage: Stage, shared: Tokens): Promise<RefreshAnswer[]> {
  const arrived: RefreshAnswer[] = [];
  const tab = async () => void arrived.push(await stage.refresh(shared));
  await Promise.all([tab(), tab()]);
  return arrived;
}

/** One answer for all that were not renewed; null if all were. */
function refusalIn(answers: readonly RefreshAnswer[]): string | null {
  return answers.find(({ kind }) => kind !== "renewed")?.answer ?? null;
}

async function twoTabs(stage: Stage): Promise<string | null> {
  const arrived = await together(stage, await stage.signIn());
  const refusal = refusalIn(arrived);
  // A jar has what came last; the loser's page may have dropped it, but another one still holds it.
  const jar = arrived.findLast((answer) => answer.kind === "renewed");
  const ended = jar === undefined ? refusal : await stage.goesOn(jar.tokens);
  if (ended !== null) return `one tab was answered ${refusal ?? ended}, and the session is over for both`;
  return refusal === null ? null : `one tab was answered ${refusal}; the other goes on`;
}

async function lateLoser(stage: Stage): Promise<string | null> {
  const shared = await stage.signIn();
  const winner = await stage.renewed(shared);
  await stage.waitSeconds();
  const late = await stage.refresh(shared);
  if (late.kind === "renewed") {
    const refusal = await stage.goesOn(late.tokens);
    return refusal === null ? null : `the late tab was renewed, but its tokens were answered ${refusal}`;
  }
  const ended = (await stage.goesOn(winner)) !== null;
  return `the late tab was answered ${late.answer}${ended ? ", and the session is over for both" : "; the other goes on"}`;
}

async function lateAnswer(stage: Stage): Promise<string | null> {
  const [early, late] = await together(stage, await stage.signIn());
  if (early?.kind !== "renewed" || late?.kind !== "renewed") {
    return `one tab was answered ${refusalIn([early, late].filter((answer) => answer !== undefined))}`;
  }
  await stage.renewed(early.tokens);
  const refusal = await stage.goesOn(late.tokens);
  return refusal === null ? null : `the older answer, in the jar again, was answered ${refusal}`;
}

/** How many chains of one session live on, after so many refreshes at once. */
async function livingChains(stage: Stage, atOnce: number): Promise<number> {
  const shared = await stage.signIn();
  const answers = await Promise.all(Array.from({ length: atOnce }, () => stage.adapter.refresh(shared)));
  let chains = distinct(answers);
  for (let generation = 1; generation < GENERATIONS && chains.length > 1; generation += 1) {
    const next: RefreshAnswer[] = [];
    for (const tokens of chains) next.push(await stage.refresh(tokens));
    chains = distinct(next);
  }
  return chains.length;
}

function distinct(answers: readonly RefreshAnswer[]): Tokens[] {
  const renewed = answers.flatMap((answer) => (answer.kind === "renewed" ? [answer.tokens] : []));
  return [...new Map(renewed.map((tokens) => [tokens.refresh, tokens])).values()];
}

const fork = (stage: Stage): Promise<Finding> =>
  inRounds(AT_ONCE.length * stage.rounds, "refreshes at once left one chain or none", async (index) => {
    const atOnce = AT_ONCE[index % AT_ONCE.length] ?? 2;
    const living = await livingChains(stage, atOnce);
    return living <= 1 ? null : `${atOnce} refreshes at once left ${living} chains, each renewed on its own`;
  });

export const tabs: readonly Scenario[] = [
  {
    name: "two-tabs",
    proves: "Two tabs that refresh at the same moment both stay signed in.",
    failureMeans: "People with two tabs open are signed out at random.",
    seenIn: "bluesky-social/social-app#11195; anomalyco/openauth#2; better-auth/better-auth#8512",
    claims: ["tabs"],
    needs: [],
    play: (stage) =>
      inRounds(stage.rounds, "both tabs were renewed, and the session went on", () => twoTabs(stage)),
  },
  {
    name: "late-loser",
    proves: "A tab whose request arrives a little after the other's stays signed in too.",
    failureMeans: "A slow tab, or a prefetch, ends the session of all tabs.",
    seenIn: "bluesky-social/social-app#11195: one stale tab",
    claims: ["tabs"],
    needs: [],
    play: (stage) => inRounds(1, "the late tab was renewed, and the session went on", () => lateLoser(stage)),
  },
  {
    name: "late-answer",
    proves: "An older answer that arrives last, and overwrites the newer tokens in the jar, does no harm.",
    failureMeans: "Two answers that overtake each other on the way sign the user out at the next refresh.",
    seenIn: "late Set-Cookie of an older generation, as reported of Next.js apps with server rendering",
    claims: ["tabs"],
    needs: [],
    play: (stage) => inRounds(stage.rounds, "the older answer was renewed too", () => lateAnswer(stage)),
  },
  {
    name: "fork",
    proves: "Of several refreshes of one token at once, at most one chain of tokens lives on.",
    failureMeans:
      "A thief who refreshes at the same moment has a session of his own, and no reuse will ever betray him.",
    seenIn:
      "CVE-2026-1035 (keycloak/keycloak#45647); JanssenProject/jans#9074; DuendeArchive/IdentityServer4#3015",
    claims: ["singleUse"],
    needs: [],
    play: fork,
  },
];
