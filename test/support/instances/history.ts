// What was asked of a number of instances and what they answered, checked against the promises of docs/protocol.md.

/** A request and what came back. Times are of one monotonic clock, in milliseconds. */
export interface Exchange {
  readonly kind: "refresh" | "check" | "end" | "theft";
  readonly sessionId: string;
  /** Of the refresh token that was presented; 0 where none was. */
  readonly generation: number;
  readonly instance: number;
  readonly begunAt: number;
  readonly endedAt: number;
  /** Null: the connection was cut or refused, and nobody knows what became of it. */
  readonly answer: Answered | null;
}

export interface Answered {
  readonly status: number;
  readonly code: string | null;
  readonly retryAfter: boolean;
  readonly clearsCookies: boolean;
  /** The refresh token in the answer. */
  readonly successor: { readonly generation: number; readonly token: string } | null;
}

/** What a sign-in made. */
export interface SignIn {
  readonly challenge: string;
  readonly sessionId: string;
}

/** A session's row after the run. */
export interface StoredEnd {
  readonly generation: number;
  readonly revokedReason: string | null;
}

export interface History {
  /** How long the store was away in all. Meanwhile no instance hears of what another one has revoked. */
  readonly storeAwayMs: number;
  readonly exchanges: readonly Exchange[];
  readonly signIns: readonly SignIn[];
  readonly stored: ReadonlyMap<string, StoredEnd>;
}

/** How long an access token may still be taken for good after the acknowledged end of its session, by instances that reach their store. */
const REFUSED_WITHIN_MS = 5_000;

/** Everything that broke a promise, in words; nothing, if all held. */
export function violations({ exchanges, signIns, stored, storeAwayMs }: History): string[] {
  const found = exchanges.flatMap(faults);
  for (const [challenge, made] of Map.groupBy(signIns, (signIn) => signIn.challenge)) {
    const ids = new Set(made.map(({ sessionId }) => sessionId));
    if (ids.size > 1) found.push(`one challenge made ${ids.size} sessions: ${challenge}`);
  }
  for (const [sessionId, ofSession] of Map.groupBy(exchanges, (exchange) => exchange.sessionId)) {
    const row = stored.get(sessionId);
    const broken = [
      ...signedOutWithoutCause(ofSession),
      ...goodAfterTheEnd(ofSession, REFUSED_WITHIN_MS + storeAwayMs),
      ...forks(ofSession),
      ...(row === undefined ? ["its row is gone"] : rowAgainstAnswers(ofSession, row)),
    ];
    found.push(...broken.map((what) => `${sessionId}: ${what}`));
  }
  return found;
}

/** The acknowledged end of the session: what begins later must be refused. */
export function endedAt(exchanges: readonly Exchange[]): number {
  return Math.min(...exchanges.filter(isAcknowledgedEnd).map((exchange) => exchange.endedAt));
}

function isAcknowledgedEnd({ kind, answer }: Exchange): boolean {
  if (kind === "end") return answer?.status === 204;
  return kind === "theft" && answer?.code === "refresh_token_reused";
}

function isCause({ kind }: Exchange): boolean {
  return kind === "end" || kind === "theft";
}

/** Whatever is wrong with the server may only be said as 503, with when to come back, and never touches the jar. */
function faults({ kind, sessionId, instance, answer }: Exchange): string[] {
  if (answer === null) return [];
  const where = `${sessionId}: ${kind} on instance ${instance}`;
  const { status, code } = answer;
  if (status === 503) {
    return answer.retryAfter && !answer.clearsCookies ? [] : [`${where}: a 503 that is not a plain 503`];
  }
  return [200, 204, 401].includes(status) ? [] : [`${where}: ${status} ${code}`];
}

function signedOutWithoutCause(exchanges: readonly Exchange[]): string[] {
  const causeFrom = Math.min(...exchanges.filter(isCause).map(({ begunAt }) => begunAt));
  return exchanges
    .filter(({ answer }) => answer?.status === 401 || answer?.clearsCookies === true)
    .filter((exchange) => !isCause(exchange) && exchange.endedAt < causeFrom)
    .map(
      ({ kind, answer, generation }) =>
        `${kind} of generation ${generation}: ${answer?.code} without a cause`,
    );
}

function goodAfterTheEnd(exchanges: readonly Exchange[], withinMs: number): string[] {
  const end = endedAt(exchanges);
  return exchanges.flatMap(({ kind, begunAt, answer }) => {
    if (answer?.status !== 200) return [];
    if (kind === "refresh" && begunAt > end) return ["refreshed after an acknowledged end"];
    const late = Math.round(begunAt - end);
    return kind === "check" && late > withinMs ? [`access token good ${late} ms after the end`] : [];
  });
}

function forks(exchanges: readonly Exchange[]): string[] {
  const tokens = new Map<number, string>();
  return exchanges.flatMap(({ generation, answer }) => {
    const successor = answer?.successor;
    if (successor === null || successor === undefined) return [];
    if (successor.generation !== generation + 1) {
      return [`generation ${generation} was followed by ${successor.generation}`];
    }
    const known = tokens.get(successor.generation);
    tokens.set(successor.generation, successor.token);
    return known === undefined || known === successor.token
      ? []
      : [`two tokens of generation ${successor.generation}`];
  });
}

function rowAgainstAnswers(exchanges: readonly Exchange[], row: StoredEnd): string[] {
  const heard = Math.max(1, ...exchanges.map(({ answer }) => answer?.successor?.generation ?? 1));
  const asked = Math.max(
    1,
    ...exchanges.filter(({ kind }) => kind === "refresh").map(({ generation }) => generation + 1),
  );
  const found: string[] = [];
  if (row.generation < heard) found.push(`generation ${heard} was given out, ${row.generation} is stored`);
  if (row.generation > asked)
    found.push(`generation ${row.generation} is stored, ${asked} was the last asked for`);
  const ended = Number.isFinite(endedAt(exchanges));
  if (ended && row.revokedReason === null) found.push("its acknowledged end is not stored");
  if (row.revokedReason !== null && !exchanges.some(isCause))
    found.push(`stored as ${row.revokedReason}, without a cause`);
  const alarms = exchanges.filter(({ answer }) => answer?.code === "refresh_token_reused").length;
  if (alarms > 1) found.push(`${alarms} alarms for one session`);
  if (alarms === 1 && row.revokedReason !== "reuse") found.push(`an alarm, stored as ${row.revokedReason}`);
  return found;
}
