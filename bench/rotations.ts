import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock, systemRandom } from "../packages/wallet-session/src/clock.ts";
import type { EngineContext } from "../packages/wallet-session/src/engine/context.ts";
import { createSessionEngine } from "../packages/wallet-session/src/engine/engine.ts";
import { rotate } from "../packages/wallet-session/src/engine/rotate.ts";
import { openSqliteStore } from "../packages/wallet-session/src/stores/sqlite.ts";
import { readRefreshToken } from "../packages/wallet-session/src/tokens/refresh-token.ts";
import { createKeyring } from "../packages/wallet-session/src/tokens/secrets.ts";
import { type Comparison, compare, type Round, timed } from "./measure.ts";

const IN_FLIGHT = 32;
const ROTATIONS_EACH = 500;
const OPERATIONS = IN_FLIGHT * ROTATIONS_EACH;
const SECRET = randomBytes(32).toString("hex");
const CLIENT = { browser: "Firefox 140", os: "Linux", device: null, ip: "203.0.113.0" };

/** Rotations and whole refreshes on SQLite with 32 in flight, against the bare compare-and-swap in groups of 32. */
export async function rotations(rounds: number): Promise<{ rotate: Comparison; refresh: Comparison }> {
  const directory = mkdtempSync(join(tmpdir(), "wallet-session-bench-"));
  const store = openSqliteStore({ path: join(directory, "engine.db") });
  const engine = createSessionEngine({ store, secrets: [SECRET], issuer: "https://pay.example.com" });
  await engine.start();
  const bare = bareSwaps(join(directory, "bare.db"));
  const tokens = await Promise.all(Array.from({ length: IN_FLIGHT }, () => signIn(engine)));
  // Only what a rotation touches: the bench goes through the protocol, not around it.
  const context = {
    store,
    keyring: createKeyring([SECRET]),
    clock: systemClock,
    random: systemRandom,
    refreshIdleTtlMs: 604_800_000,
    refreshLeewayMs: 30_000,
  } as EngineContext;

  const inFlight = (next: (token: string) => Promise<string>) => () =>
    timed(OPERATIONS, async () => {
      await Promise.all(
        tokens.map(async (_, at) => {
          for (let n = 0; n < ROTATIONS_EACH; n += 1) tokens[at] = await next(tokens[at] ?? "");
        }),
      );
    });
  const rotateOnce = async (token: string) => {
    const presented = readRefreshToken(context.keyring, token);
    if (presented === null) throw new Error("not authentic");
    const result = await rotate(context, {
      presented,
      presentedBy: "body",
      retryKey: "0123456789abcdef0123",
    });
    if (result.outcome !== "rotated") throw new Error(result.outcome);
    return result.refreshToken;
  };
  const refreshOnce = async (token: string) => {
    const result = await engine.refresh({
      token,
      presentedBy: "body",
      retryKey: "0123456789abcdef0123",
      jarAccessToken: null,
    });
    if (result.outcome !== "rotated") throw new Error(result.outcome);
    return result.tokens.refreshToken;
  };
  try {
    return {
      rotate: await compare(rounds, inFlight(rotateOnce), bare.round),
      refresh: await compare(rounds, inFlight(refreshOnce), bare.round),
    };
  } finally {
    await engine.close();
    bare.close();
    rmSync(directory, { recursive: true });
  }
}

async function signIn(engine: ReturnType<typeof createSessionEngine>): Promise<string> {
  const challenge = { id: randomBytes(16).toString("hex"), expiresAt: Date.now() + 300_000 };
  const actor = { actorId: "GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H", challenge };
  return (await engine.signIn(actor, { transport: "body", client: CLIENT })).refreshToken;
}

/** The least that any server must do: the same file settings, the same row, the same statement, nothing else. */
function bareSwaps(path: string): { round: () => Promise<Round>; close: () => void } {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE sessions (
      id BLOB PRIMARY KEY, actor_id TEXT, transport TEXT, generation BLOB, secret_hash BLOB, salt BLOB,
      retry_key_hash BLOB, created_at INTEGER, rotated_at INTEGER, idle_expires_at INTEGER, expires_at INTEGER,
      revoked_at INTEGER, revoked_reason TEXT, client TEXT
    ) STRICT;
  `);
  const insert = database.prepare(
    "INSERT INTO sessions VALUES (?, 'GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H', 'body', ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)",
  );
  const swap = database.prepare(
    `UPDATE sessions SET generation = ?, secret_hash = ?, salt = ?, retry_key_hash = ?,
       rotated_at = ?5, idle_expires_at = min(?, expires_at)
     WHERE id = ? AND transport = ? AND generation = ? AND secret_hash = ?
       AND revoked_at IS NULL AND idle_expires_at > ?5 AND expires_at > ?5
     RETURNING *`,
  );
  const now = Date.now();
  const end = now + 604_800_000;
  const salt = randomBytes(16);
  const rows = Array.from({ length: IN_FLIGHT }, () => ({
    id: randomBytes(16),
    generation: Buffer.alloc(4),
    hash: randomBytes(32),
  }));
  for (const { id, generation, hash } of rows) {
    insert.run(id, generation, hash, salt, hash, now, now, end, 2 * end, JSON.stringify(CLIENT));
  }
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const group = () => {
    begin.run();
    for (const row of rows) {
      const generation = Buffer.from(row.generation);
      generation.writeUInt32BE(row.generation.readUInt32BE() + 1);
      const hash = Buffer.from(row.hash);
      hash[0] = (hash[0] ?? 0) + 1;
      const swapped = swap.get(
        generation,
        hash,
        salt,
        hash,
        now,
        end,
        row.id,
        "body",
        row.generation,
        row.hash,
      );
      if (swapped === undefined) throw new Error("the bare swap did not match");
      Object.assign(row, { generation, hash });
    }
    commit.run();
  };
  return {
    round: () =>
      timed(OPERATIONS, () => {
        for (let n = 0; n < ROTATIONS_EACH; n += 1) group();
      }),
    close: () => database.close(),
  };
}
