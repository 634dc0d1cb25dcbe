// Two processes on one database, as far as the database can tell: each has connections of its own.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer } from "../http/answer.ts";
import type { IdempotentRequest } from "../http/idempotency.ts";
import { DATABASES } from "../sql/databases.fixture.ts";
import { makeStream } from "./create.ts";
import { ledgerOnly } from "./settlement.ts";
import { loadStream } from "./stream-store.ts";
import { codeOf, SENDER, streamsOn, WISH } from "./streams.fixture.ts";
import { RULES, STREAM_COMMANDS, transition } from "./transitions.ts";

const STARTED = { ...WISH, start: true };
const KEY: IdempotentRequest = { actorId: SENDER, keyHash: "a key", fingerprint: "what it was used for" };

describe.each(DATABASES)("%s", (kind) => {
  const { newPlace, openStreams } = streamsOn(kind);

  /** Both with the same time. */
  async function openBoth() {
    const place = newPlace();
    const here = await openStreams(ledgerOnly, place);
    const there = await openStreams(ledgerOnly, place);
    const advance = (ms: number) => {
      for (const { clock } of [here, there]) clock.advance(ms);
    };
    return { here, there, advance };
  }

  /** The same at one moment on both, a few times each. */
  function onBoth<S, T>(here: S, there: S, act: (side: S) => Promise<T>): Promise<T[]> {
    return Promise.all([here, there, here, there, here, there].map(act));
  }

  const distinct = (answers: readonly Answer[]) => [
    ...new Set(answers.map((answer) => JSON.stringify(answer))),
  ];

  test("one key at the same moment makes one stream, and all are answered alike", async () => {
    const { here, there } = await openBoth();
    const answers = await onBoth(here, there, ({ context }) => makeStream(context, SENDER, STARTED, KEY));
    expect(distinct(answers)).toHaveLength(1);
    expect(await here.sql.db.selectFrom("streams").select("id").execute()).toHaveLength(1);
  });

  test("one command with one key is done once, and none is refused for what the first has changed", async () => {
    const { here, there, advance } = await openBoth();
    const id = await here.make();
    advance(30_000);
    const matches = (version: number) => version === 1;
    const cancel = { matches, idempotent: KEY };
    const answers = await onBoth(here, there, ({ command }) => command(id, "cancel", cancel));
    expect(distinct(answers)).toHaveLength(1);
    expect(await here.audit(id)).toMatchObject({ entries: ["deposit", "settlement", "refund"] });
  });

  test("one key for two things at the same moment: one is done, the other refused", async () => {
    const { here, there } = await openBoth();
    const asked = await onBoth(here, there, async ({ context }) => {
      const other = { ...KEY, fingerprint: `${Math.random()}` };
      return codeOf(makeStream(context, SENDER, STARTED, other));
    });
    expect(asked.sort()).toEqual([...Array(5).fill("idempotency_mismatch"), "no error"]);
    expect(await here.sql.db.selectFrom("streams").select("id").execute()).toHaveLength(1);
  });

  test("without a key each is done as far as the money goes, and the ledger has it all", async () => {
    const { here, there, advance } = await openBoth();
    const id = await here.make();
    advance(30_000);
    const codes = await onBoth(here, there, ({ command }) => codeOf(command(id, "withdraw")));
    expect(codes.sort()).toEqual(["no error", ...Array(5).fill("stream_state")]);
    expect(await here.audit(id)).toMatchObject({
      withdrawn: 300_000_000n,
      entries: ["deposit", "settlement", "withdrawal"],
    });
  });

  test("any commands, in turn and at the same moment: the rules' own outcome, and every stroop in the ledger", async () => {
    const { here, there, advance } = await openBoth();
    const moment = fc.record({
      commands: fc.array(fc.constantFrom(...STREAM_COMMANDS), { minLength: 1, maxLength: 4 }),
      afterMs: fc.integer({ min: 0, max: 40_000 }),
    });
    const plan = fc.record({
      deposit: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      moments: fc.array(moment, { minLength: 1, maxLength: 5 }),
    });
    const play = fc.asyncProperty(plan, async ({ deposit, moments }) => {
      const id = await here.make({ deposit, start: false });
      for (const { commands, afterMs } of moments) {
        advance(afterMs);
        const before = (await loadStream(here.sql.db, id))?.stream;
        const codes = await Promise.all(
          commands.map((command, index) => codeOf((index % 2 === 0 ? here : there).command(id, command))),
        );
        await here.audit(id);
        if (before === undefined || commands.length > 1) continue;
        const [command = "start"] = commands;
        const result = transition(before, RULES[command].by[0] ?? "sender", command, here.clock.now());
        expect(codes).toEqual([result.outcome === "refused" ? result.refusal : "no error"]);
        const after = (await loadStream(there.sql.db, id))?.stream;
        expect(after).toEqual(result.outcome === "changed" ? result.stream : before);
      }
    });
    await fc.assert(play, { numRuns: 12 });
  });
});
