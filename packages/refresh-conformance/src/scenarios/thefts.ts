import type { Tokens } from "../adapter.ts";
import { type Finding, inRounds } from "../finding.ts";
import type { Scenario } from "../scenario.ts";
import { newRetryKey, type Stage, StageError } from "../stage.ts";

const TURNS = 4;
const NEVER: Finding = {
  holds: false,
  tried: 0,
  observed: "a spent token is accepted without limit of time, by the server's own rule",
};

/** The end that both sides must see, by what the server claims of thefts. */
async function verdict(stage: Stage, owner: Tokens, thief: Tokens | null): Promise<string | null> {
  const useless = stage.claims.theft === "copy-is-useless";
  const thiefRefused = thief === null || (await stage.refresh(thief)).kind === "refused";
  const ownerRefused = (await stage.goesOn(owner)) !== null;
  if (useless && !thiefRefused) return "the copy was renewed";
  if (useless) return ownerRefused ? "the copy was refused, but its use ended the owner's session" : null;
  if (!thiefRefused) return "the thief goes on, and the owner is signed out or unaware";
  return ownerRefused ? null : "the second use was refused, but the session goes on, and nobody is told";
}

async function thiefAfterOwner(stage: Stage): Promise<string | null> {
  const held = await stage.signIn();
  const copy = stage.stolenCopy(held);
  const owner = await stage.renewed(held, newRetryKey());
  await stage.waitPastLeeway();
  const stolen = await stage.refresh(copy);
  return verdict(stage, owner, stolen.kind === "renewed" ? stolen.tokens : null);
}

async function thiefFirst(stage: Stage): Promise<string | null> {
  const held = await stage.signIn();
  const stolen = await stage.refresh(stage.stolenCopy(held));
  await stage.waitPastLeeway();
  const answer = await stage.refresh(held, newRetryKey());
  const owner = answer.kind === "renewed" ? answer.tokens : held;
  return verdict(stage, owner, stolen.kind === "renewed" ? stolen.tokens : null);
}

/** Owner and thief take turns, each with the newest that it has got. */
async function alternating(stage: Stage): Promise<string | null> {
  let owner = await stage.signIn();
  let thief = stage.stolenCopy(owner);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const first = await stage.refresh(owner, newRetryKey());
    if (first.kind !== "renewed") return verdict(stage, owner, thief);
    owner = first.tokens;
    await stage.waitPastLeeway();
    const second = await stage.refresh(thief);
    if (second.kind !== "renewed") return verdict(stage, owner, thief);
    thief = second.tokens;
  }
  return `owner and thief took ${TURNS} turns, and were both renewed each time`;
}

/** A session that has rotated three times, and the first of its refresh requests, to be sent once more. */
async function recorded(stage: Stage) {
  const held = await stage.signIn();
  const retryKey = newRetryKey();
  const first = await stage.refresh(held, retryKey);
  if (first.kind !== "renewed") throw new StageError(`an ordinary refresh was answered ${first.answer}`);
  const owner = await stage.renewed(await stage.renewed(first.tokens));
  return { owner, sendAgain: first.again ?? (() => stage.adapter.refresh(held, retryKey)) };
}

async function delayedDuplicate(stage: Stage): Promise<Finding> {
  const sessions: Awaited<ReturnType<typeof recorded>>[] = [];
  for (let count = 0; count < stage.rounds; count += 1) sessions.push(await recorded(stage));
  if (!(await stage.waitPastLeeway())) return NEVER;
  let ownerGoesOn = true;
  const found = await inRounds(stage.rounds, "the duplicate got nothing", async (index) => {
    const session = sessions[index];
    if (session === undefined) return null;
    const duplicate = await session.sendAgain();
    if (duplicate.kind === "renewed" && (await stage.goesOn(duplicate.tokens)) === null) {
      return "the duplicate was renewed, and its tokens go on";
    }
    ownerGoesOn = (await stage.goesOn(session.owner)) === null;
    const harmless = stage.claims.theft !== "copy-is-useless" || ownerGoesOn;
    return harmless ? null : `the duplicate was answered ${duplicate.answer}, and ended the owner's session`;
  });
  if (!found.holds) return found;
  return {
    ...found,
    observed: `${found.observed}; the owner's session ${ownerGoesOn ? "went on" : "was ended"}`,
  };
}

/** Nothing can be said where a spent token stays good for ever. */
function beyondLeeway(stage: Stage, held: string, round: () => Promise<string | null>): Promise<Finding> {
  const { retry } = stage.claims;
  const never = retry?.by === "token" && !Number.isFinite(retry.withinMs);
  return never ? Promise.resolve(NEVER) : inRounds(1, held, round);
}

const failureMeans =
  "A thief who has copied a token once keeps the account for as long as the session lasts.";
const held = "the thief has nothing";

export const thefts: readonly Scenario[] = [
  {
    name: "thief-after-owner",
    proves:
      "A copied token that comes after its owner has refreshed opens nothing, and the theft has its claimed end.",
    failureMeans,
    seenIn: "RFC 9700, 4.14.2; keycloak/keycloak#52666: a spent token is renewed again and again",
    claims: ["theft"],
    needs: [],
    play: (stage) => beyondLeeway(stage, held, () => thiefAfterOwner(stage)),
  },
  {
    name: "thief-first",
    proves: "A thief who refreshes before the owner is thrown out as soon as the owner does.",
    failureMeans,
    seenIn: "RFC 9700, 4.14.2: the second use must revoke the tokens of the first",
    claims: ["theft"],
    needs: [],
    play: (stage) => beyondLeeway(stage, held, () => thiefFirst(stage)),
  },
  {
    name: "alternating-thief",
    proves: "Owner and thief cannot share a session by taking turns.",
    failureMeans: "A thief reads along for weeks, and neither the user nor the server notices.",
    seenIn: "servers that accept the parent of the newest token without limit of time",
    claims: ["theft"],
    needs: [],
    play: (stage) => beyondLeeway(stage, held, () => alternating(stage)),
  },
  {
    name: "delayed-duplicate",
    proves: "A copy of a whole request that arrives two rotations later opens nothing.",
    failureMeans: "A request out of a proxy's log or queue opens the session again.",
    seenIn: "keycloak/keycloak#52666; Go's net/http sends a POST with an idempotency key twice by itself",
    claims: ["singleUse"],
    needs: [],
    play: delayedDuplicate,
  },
];
