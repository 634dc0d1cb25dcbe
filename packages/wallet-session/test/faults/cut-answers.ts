import { randomUUID } from "node:crypto";
import type { SessionStore } from "../../src/store.ts";
import { codeOf, engineOn, type ProtocolEngine } from "../../src/testing/protocol-engine.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";
import { FAIR, type Question, told } from "./story.ts";

export interface CutDatabase {
  readonly databaseUrl: string;
  /** Opens a store at this URL: always on the same data, of which there is none at first. */
  open(url: string): SessionStore;
}

export interface AfterCutAnswers {
  readonly cuts: number;
  /** What the callers were told, each once. */
  readonly codes: readonly string[];
  readonly wrong: readonly string[];
}

type Later = "away" | "back";

/**
 * Cuts the connection to the database within the answers to a sign-in, a refresh and a sign-out, and asks again.
 * @param steps cuts after 0, so many, twice so many… bytes, up to the whole answer; where the database is back at once, and
 * where it is away until the client has been answered
 */
export async function cutAnswers(
  database: CutDatabase,
  steps: Readonly<Record<Later, number>>,
): Promise<AfterCutAnswers> {
  const all = await Promise.all(
    (["sign in", "refresh", "sign out"] as const).flatMap((asks) =>
      (["back", "away"] as const).map((later) => cutAnswersTo(database, asks, later, steps[later])),
    ),
  );
  const sum = (of: (one: OfOneQuestion) => number) => all.reduce((before, one) => before + of(one), 0);
  const wrong = all.flatMap((one) => one.wrong);
  const store = database.open(database.databaseUrl);
  const [sessions, asked] = [await sessionsIn(store), sum(({ sessions }) => sessions)];
  await store.close();
  if (sessions !== asked) wrong.push(`${sessions} sessions of ${asked} sign-ins`);
  return {
    cuts: sum(({ cuts }) => cuts),
    codes: [...new Set(all.flatMap(({ codes }) => codes))].sort(),
    wrong,
  };
}

interface OfOneQuestion extends AfterCutAnswers {
  /** Sign-ins, each with a challenge of its own. */
  readonly sessions: number;
}

async function cutAnswersTo(
  { databaseUrl, open }: CutDatabase,
  asks: Question["asks"],
  later: Later,
  step: number,
): Promise<OfOneQuestion> {
  const proxy = await startCuttingProxy(databaseUrl);
  const node = await engineOn(open(proxy.url));
  const codes: string[] = [];
  const wrong: string[] = [];
  let sessions = 0;
  try {
    for (let cuts = 0; ; cuts += 1) {
      const question = await prepare(node, asks);
      sessions += asks === "sign in" ? 3 : 2;
      proxy.cutAfter(cuts * step, later);
      const found = await askTwice(node, proxy, question);
      codes.push(found.code);
      wrong.push(...found.wrong.map((words) => `${asks}, cut after ${cuts * step} bytes: ${words}`));
      if (found.hasCut) continue;
      if (node.alarms() > 0) wrong.push(`${node.alarms()} alarms`);
      return { cuts, codes, wrong, sessions };
    }
  } finally {
    await node.engine.close();
    proxy.end();
  }
}

/** The connection has each statement prepared, so that the answer is to the question alone. */
async function prepare(node: ProtocolEngine, asks: Question["asks"]): Promise<Question> {
  const [first, session] = [await node.signIn(), await node.signIn()];
  const { refreshToken } = await node.tokens(first.refreshToken);
  await node.engine.revokeByRefreshToken(refreshToken, "logout");
  switch (asks) {
    case "sign in":
      return { asks, challenge: randomUUID() };
    case "refresh":
      return { asks, token: session.refreshToken, retryKey: randomUUID() };
    case "sign out":
      return { asks, token: session.refreshToken };
  }
}

async function askTwice(node: ProtocolEngine, proxy: CuttingProxy, question: Question) {
  const first = await told(node, question);
  const hasCut = proxy.mend();
  const again = await told(node, question);
  const wrong: string[] = [];
  if (first.code !== "none" && first.code !== "store_unavailable") wrong.push(first.code);
  if (!FAIR[question.asks].includes(again.code)) wrong.push(`the retry: ${again.code}`);
  if (question.asks === "refresh" && first.token !== null && again.token !== first.token) {
    wrong.push("another successor");
  }
  const token = again.token ?? first.token;
  if (token !== null) {
    const next = await told(node, { asks: "refresh", token, retryKey: randomUUID() });
    if (next.code !== "none") wrong.push(`the next refresh: ${next.code}`);
  }
  if (question.asks === "sign out") {
    const code = await codeOf(node.engine.inspectRefreshToken(question.token));
    if (code !== "refresh_token_revoked") wrong.push(`after signing out: ${code}`);
  }
  return { hasCut, code: first.code, wrong };
}

/** All that there ever were: those that live, and the log of those that have ended. */
async function sessionsIn(store: SessionStore): Promise<number> {
  let ended = 0;
  for (let position = 0; ; ) {
    const page = await store.revocationsAfter(position, 1_000);
    if (page.entries.length === 0) return ended + (await store.countSessions(0));
    ended += page.entries.length;
    position = page.position;
  }
}
