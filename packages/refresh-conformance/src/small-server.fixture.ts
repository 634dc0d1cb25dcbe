import type { Adapter, CreateAdapter, RefreshAnswer, Tokens } from "./adapter.ts";

const LEEWAY_MS = 4_000;
const IDLE_MS = 60_000;

/** What a fault makes of the server. Each breaks the rule of the scenario whose name it has. */
export const FAULTS = {
  "retry-at-once": "each second use is reuse",
  "retry-after-seconds": "it knows of a retry for an instant only",
  "retry-after-restart": "it knows of retries in its memory only",
  "two-tabs": "it refuses who comes while another refresh is under way",
  "late-loser": "it knows of a retry for an instant only",
  "late-answer": "it forgives the first generation alone",
  fork: "each that is forgiven gets a chain of its own",
  "thief-after-owner": "it refuses a spent token, and does not end the session",
  "thief-first": "it refuses a spent token, and does not end the session",
  "alternating-thief": "the parent of the newest token is good for ever",
  "delayed-duplicate": "any older token gets the newest",
  "refresh-against-revoke": "it writes what it read before the revocation",
  "access-after-revocation": "access tokens are good by themselves",
  "revoked-after-restart": "revocations are in its memory only",
  "spent-after-restart": "spent tokens are in its memory only",
  expired: "nothing ends by itself",
  "storage-growth": "it keeps a row for each token",
  "store-down": "a fault of the store is a 401",
} as const;
export type Fault = keyof typeof FAULTS;

interface Row {
  generation: number;
  /** Below it, tokens are spent. */
  oldest: number;
  rotatedAt: number;
  idleEnd: number;
  revoked: boolean;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const refused = (why: string): RefreshAnswer => ({ kind: "refused", answer: `401 ${why}` });

/** A server of one file that keeps every rule, but for the given fault. Its clock moves when somebody waits. */
export function createSmallServer(fault: Fault | null = null): Adapter {
  const has = (...faults: readonly Fault[]) => fault !== null && faults.includes(fault);
  const rows = new Map<string, Row>();
  const underWay = new Set<string>();
  let [now, names, extraRows, storeAway] = [0, 0, 0, false];

  const tokensFor = (id: string, generation: number): Tokens => ({
    refresh: `${id}.${generation}`,
    access: id,
  });
  const renewed = (id: string, generation: number): RefreshAnswer => ({
    kind: "renewed",
    tokens: tokensFor(id, generation),
    answer: "200",
  });
  function create(): string {
    const id = `session-${++names}`;
    rows.set(id, { generation: 1, oldest: 1, rotatedAt: now, idleEnd: now + IDLE_MS, revoked: false });
    return id;
  }

  function isForgiven(row: Row, generation: number): boolean {
    if (has("delayed-duplicate")) return true;
    if (generation !== row.generation - 1) return false;
    if (has("alternating-thief")) return true;
    if (has("retry-at-once") || (has("late-answer") && generation > 1)) return false;
    const leewayMs = has("retry-after-seconds", "late-loser") ? 1 : LEEWAY_MS;
    return now - row.rotatedAt < leewayMs;
  }

  async function rotate(id: string, generation: number, row: Row): Promise<RefreshAnswer> {
    if (has("refresh-against-revoke")) {
      await turn();
      row.revoked = false;
    }
    row.generation = generation + 1;
    row.oldest = row.generation;
    row.rotatedAt = now;
    row.idleEnd = now + IDLE_MS;
    if (has("storage-growth")) extraRows += 1;
    return renewed(id, row.generation);
  }

  async function decide(id: string, generation: number): Promise<RefreshAnswer> {
    const row = rows.get(id);
    if (row === undefined) return refused("unknown");
    if (row.revoked) return refused("revoked");
    if (now >= row.idleEnd && !has("expired")) return refused("expired");
    if (generation >= row.oldest) return rotate(id, generation, row);
    if (!isForgiven(row, generation)) {
      if (!has("thief-after-owner", "thief-first")) row.revoked = true;
      return refused("reused");
    }
    return renewed(has("fork") ? create() : id, has("fork") ? 1 : row.generation);
  }

  async function refresh({ refresh: token }: Tokens): Promise<RefreshAnswer> {
    if (storeAway) return has("store-down") ? refused("unknown") : { kind: "unavailable", answer: "503" };
    const [id = "", generation] = token.split(".");
    if (has("two-tabs") && underWay.has(id)) return refused("busy");
    underWay.add(id);
    await turn();
    return decide(id, Number(generation)).finally(() => underWay.delete(id));
  }

  return {
    server: "a small server",
    claims: {
      singleUse: true,
      retry: { by: "token", withinMs: LEEWAY_MS },
      tabs: true,
      theft: "ends-session",
      revocation: true,
      accessRevokedWithinMs: 0,
      durable: true,
      idleExpiryMs: IDLE_MS,
      bounded: true,
      faults: true,
    },
    signIn: async () => tokensFor(create(), 1),
    refresh,
    async tryAccess({ access }) {
      const revoked = rows.get(access ?? "")?.revoked !== false;
      const accepted = !revoked || has("access-after-revocation");
      return accepted ? { kind: "accepted", answer: "200" } : { kind: "refused", answer: "401" };
    },
    async revoke({ refresh: token }) {
      const row = rows.get(token.split(".")[0] ?? "");
      if (row !== undefined) row.revoked = true;
      return row !== undefined;
    },
    wait: async (milliseconds) => {
      now += milliseconds;
    },
    async restart() {
      for (const row of rows.values()) {
        if (has("retry-after-restart")) row.rotatedAt = Number.NEGATIVE_INFINITY;
        if (has("revoked-after-restart")) row.revoked = false;
        if (has("spent-after-restart")) row.oldest = 1;
      }
    },
    async breakStore() {
      storeAway = true;
      return async () => {
        storeAway = false;
      };
    },
    storedRows: async () => rows.size + extraRows,
  };
}

/** As the command loads it: the last part of the address is the fault. */
const create: CreateAdapter = ({ url }) =>
  createSmallServer((new URL(url).pathname.slice(1) || null) as Fault | null);
export default create;
