import { setImmediate as turn } from "node:timers/promises";
import type { Tokens } from "../adapter.ts";
import { type Finding, inRounds } from "../finding.ts";
import type { Scenario } from "../scenario.ts";
import { newRetryKey, type Stage, StageError } from "../stage.ts";

/** How far apart the two begin: a turn of the event loop more each, then a part of a millisecond more each. */
const TURNS = 8;
const STEP_MS = 0.15;
const STEPS = 40;
/** Of these steps, as many begin with the revocation. */
const REVOKED_FIRST = 8;
const AFTER_EXPIRY_MS = 1_000;

async function revoked(stage: Stage, tokens: Tokens): Promise<void> {
  if ((await stage.adapter.revoke?.(tokens)) !== true)
    throw new StageError("a revocation was not acknowledged");
}

async function apart(steps: number): Promise<void> {
  for (let count = 0; count < Math.min(steps, TURNS); count += 1) await turn();
  const until = performance.now() + (steps - TURNS) * STEP_MS;
  while (performance.now() < until) await turn();
}

async function refreshAgainstRevoke(stage: Stage): Promise<Finding> {
  let refusedRevocations = 0;
  const found = await inRounds(stage.interleavings, "nothing went on after its revocation", async (index) => {
    const held = await stage.signIn();
    const retryKey = newRetryKey();
    const later = (index % STEPS) - REVOKED_FIRST;
    const [answer, acknowledged] = await Promise.all([
      apart(-later).then(() => stage.adapter.refresh(held, retryKey)),
      apart(later).then(() => stage.adapter.revoke?.(held)),
    ]);
    if (acknowledged !== true) {
      // The refresh came first, and its user is told that the sign-out did not work: nothing was promised.
      refusedRevocations += 1;
      return null;
    }
    if (answer.kind === "renewed") {
      const next = await stage.refresh(answer.tokens);
      if (next.kind === "renewed") return "the refresh that ran beside the revocation left tokens that go on";
    }
    const retry = await stage.refresh(held, retryKey);
    return retry.kind === "renewed" ? "a retry after the revocation was renewed" : null;
  });
  if (refusedRevocations === stage.interleavings) throw new StageError("no revocation was acknowledged");
  const refused = refusedRevocations === 0 ? "" : `; ${refusedRevocations} revocations were not acknowledged`;
  return { ...found, observed: found.observed + refused };
}

async function accessAfterRevocation(stage: Stage): Promise<string | null> {
  const tokens = await stage.signIn();
  const before = await stage.adapter.tryAccess(tokens);
  if (before.kind !== "accepted") throw new StageError(`a fresh access token was answered ${before.answer}`);
  await revoked(stage, tokens);
  const withinMs = stage.claims.accessRevokedWithinMs ?? 0;
  if (withinMs > 0) await stage.adapter.wait(withinMs);
  const after = await stage.adapter.tryAccess(tokens);
  const when = withinMs > 0 ? `${withinMs} ms later` : "at once";
  return after.kind === "refused" ? null : `the access token, used ${when}, was answered ${after.answer}`;
}

async function revokedAfterRestart(stage: Stage): Promise<string | null> {
  const [ended, living] = [await stage.signIn(), await stage.signIn()];
  await revoked(stage, ended);
  await stage.restart(stage.claims.idleExpiryMs);
  const refusal = await stage.goesOn(living);
  if (refusal !== null) return `a session that nobody ended was answered ${refusal} after the restart`;
  const back = await stage.refresh(ended);
  return back.kind === "renewed" ? "the revoked session was renewed after the restart" : null;
}

async function spentAfterRestart(stage: Stage): Promise<string | null> {
  const first = await stage.signIn();
  const second = await stage.renewed(first, newRetryKey());
  await stage.renewed(second, newRetryKey());
  await stage.restart();
  if (!(await stage.waitPastLeeway())) return "a spent token is accepted without limit of time";
  const spent = await stage.refresh(stage.stolenCopy(first));
  return spent.kind === "renewed"
    ? "a token that was spent two rotations ago was renewed after the restart"
    : null;
}

async function expired(stage: Stage): Promise<string | null> {
  const { idleExpiryMs } = stage.claims;
  if (idleExpiryMs === undefined) throw new StageError("it is not known when sessions end");
  const [idle, busy] = [await stage.signIn(), await stage.signIn()];
  await stage.adapter.wait(idleExpiryMs / 2);
  const kept = await stage.refresh(busy);
  if (kept.kind !== "renewed") return `a session was answered ${kept.answer} before its end`;
  await stage.adapter.wait(idleExpiryMs / 2 + AFTER_EXPIRY_MS);
  const answer = await stage.refresh(idle);
  return answer.kind === "renewed" ? "a session past its end was renewed" : null;
}

export const ends: readonly Scenario[] = [
  {
    name: "refresh-against-revoke",
    proves: "A sign-out that meets a refresh on its way wins: no token of the session is renewed later.",
    failureMeans: "The user signs out on a shared computer, and the session lives on.",
    seenIn: "keycloak/keycloak#46054: check and write of a refresh are two steps; RFC 7009, 2.1",
    claims: ["revocation"],
    needs: ["revoke"],
    play: refreshAgainstRevoke,
  },
  {
    name: "access-after-revocation",
    proves: "After a revocation the access token is refused, within the time that is claimed.",
    failureMeans:
      "After a sign-out, or after a phone is reported stolen, the old token opens the account until it expires.",
    seenIn: "RFC 7009, 3: self-contained access tokens outlive the revocation of their grant",
    claims: ["accessRevokedWithinMs"],
    needs: ["revoke"],
    play: (stage) =>
      inRounds(stage.rounds, "the access token was refused", () => accessAfterRevocation(stage)),
  },
  {
    name: "revoked-after-restart",
    proves: "A revoked session stays revoked when the server is started again, and others go on.",
    failureMeans: "A deployment brings stolen sessions back.",
    seenIn: "CVE-2026-9802: a restart of Keycloak revives old tokens",
    claims: ["revocation", "durable"],
    needs: ["revoke", "restart"],
    play: (stage) =>
      inRounds(1, "the revoked session stayed so, another went on", () => revokedAfterRestart(stage)),
  },
  {
    name: "spent-after-restart",
    proves: "A spent refresh token stays spent when the server is started again.",
    failureMeans: "A deployment makes old copies of tokens good again.",
    seenIn: "CVE-2026-9802: a restart of Keycloak revives old tokens",
    claims: ["singleUse", "durable"],
    needs: ["restart"],
    play: (stage) => inRounds(1, "the spent token was refused", () => spentAfterRestart(stage)),
  },
  {
    name: "expired",
    proves: "A session that nobody has refreshed in time is over, and not before.",
    failureMeans: "A forgotten session can be taken over years later, or people are signed out too early.",
    seenIn: "RFC 9700, 4.14.2: refresh tokens should expire if they are not used",
    claims: ["idleExpiryMs"],
    needs: [],
    play: (stage) => inRounds(1, "it was over in time, and not before", () => expired(stage)),
  },
];
