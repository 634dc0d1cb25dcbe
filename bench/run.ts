// npm run bench [-- SECTION …]: what we cost beside the least that any server must do, measured side by side in one run.
// Without sections, all but `many`, which takes a quarter of an hour: a million sessions in each store.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AfterLoss,
  crashWithoutTheTail,
  promoteTooEarly,
} from "../packages/wallet-session/src/stores/redis/lost-writes.fixture.ts";
import { startOwnServer } from "../packages/wallet-session/src/stores/redis/own-server.fixture.ts";
import { openRedisStore, type RedisDurability } from "../packages/wallet-session/src/stores/redis.ts";
import { barePostgres, bareRedis, bareSqlite } from "./bare.ts";
import { boundRefreshes } from "./bound.ts";
import { hostileHeadsOf } from "./hostile-heads.ts";
import { type ManySessions, manySessions } from "./many-sessions.ts";
import { type Comparison, count } from "./measure.ts";
import { inMemory, onPostgres, onRedis, onSqlite, POSTGRES_URL } from "./places.ts";
import { rotations } from "./rotations.ts";
import { serve } from "./serve.ts";
import { garbage, verification } from "./tokens.ts";

const ROUNDS = 7;
/** Set to try the section out. */
const MANY = Number(process.env.BENCH_SESSIONS ?? 1_000_000);
const ONLY_WHEN_ASKED = ["many"];
/** A thousand sessions that refresh in ten seconds, of which the last one is lost. */
const LOSS = { sessions: 1_000, overMs: 10_000, lostMs: 1_000 };

const sections = {
  async sqlite() {
    const place = await onSqlite();
    const directory = mkdtempSync(join(tmpdir(), "wallet-session-bench-"));
    const figures = await rotations(ROUNDS, 500, place.store, bareSqlite(join(directory, "bare.db")));
    rmSync(directory, { recursive: true });
    await place.remove();
    rotationRows("SQLite", "bare swap in groups of 32", "aim: at least 0.60", figures);
  },

  async postgres() {
    const place = await onPostgres();
    const schema = `wallet_session_bare_${randomBytes(6).toString("hex")}`;
    const figures = await rotations(ROUNDS, 60, place.store, await barePostgres(POSTGRES_URL, schema));
    await place.remove();
    rotationRows("PostgreSQL", "bare statement", "aim: at least 0.80", figures);
  },

  async redis() {
    for (const durability of ["always", "everysec"] as const) {
      const figures = await rotationsOnRedis(ROUNDS, durability);
      rows(`Rotations on Redis, ${durability}, 32 in flight / bare script`, figures, "aim: at least 0.80");
    }
    const { crash, promotion } = await lostRotations();
    lossRows("Append-only file cut by its last second of ten", crash);
    lossRows("Replica promoted without the last second of ten", promotion);
  },

  async tokens() {
    const refused = await garbage(ROUNDS);
    row("Garbage tokens refused per second on one core", count(refused.perSecond), "aim: 100,000");
    row("  calls of the store meanwhile", String(refused.storeCalls), "aim: 0");
    const { unseen, unseenInFlight, seenMicroseconds, mapMicroseconds } = await verification(ROUNDS);
    row(
      "Access token not seen before / verify of node:crypto, time",
      (1 / unseen.ratio).toFixed(2),
      "aim: at most 1.60",
    );
    row("  the same with 32 in flight", (1 / unseenInFlight.ratio).toFixed(2), "aim: at most 1.60");
    row("Access token seen before, microseconds", seenMicroseconds.toFixed(2), "aim: under 10");
    row("  of these a look-up in a bare map", mapMicroseconds.toFixed(2));
  },

  async bound() {
    const { dpop, device } = await boundRefreshes(ROUNDS);
    const than = "/ one without and a bare ES256 verify, time";
    row(`Refresh with a DPoP proof ${than}`, (1 / dpop.ratio).toFixed(2), "aim: at most 1.60");
    row(`Refresh with a device proof ${than}`, (1 / device.ratio).toFixed(2), "aim: at most 1.60");
    row(
      "  microseconds: DPoP, device, and the other",
      [dpop.ours, device.ours, device.bare].map((each) => count(1e6 / each)).join(" "),
    );
  },

  async serve() {
    rows("Refreshes by `wallet-session serve` / a bare Node server", await serve(ROUNDS));
  },

  async heads() {
    const { heads, flooded } = await hostileHeadsOf();
    for (const { path, plain, worst, kinds, above } of heads) {
      row(
        `CPU of a hostile head of 14 KB on ${path}, worst of ${kinds} kinds`,
        `${worst.cpuMs.toFixed(1)} ms`,
        "aim: at most 5",
      );
      row("  which", worst.kind);
      row("  a plain request", `${plain.toFixed(1)} ms`);
      if (above.length > 0) console.log(`  above 5 ms: ${above.join(" | ")}`);
    }
    row(
      "/api/healthz beside four such floods, worst median",
      `${flooded.healthzMs.toFixed(0)} ms`,
      "aim: under 50",
    );
  },

  async many() {
    manyRows("SQLite", await manySessions(onSqlite, MANY));
    manyRows("PostgreSQL", await manySessions(onPostgres, MANY));
    manyRows("Redis", await manySessions(onRedis, MANY));
    manyRows("memory", await manySessions(inMemory, MANY));
  },
};

function row(what: string, figure: string, aim = ""): void {
  console.log(`${what.padEnd(64)} ${figure.padStart(10)}   ${aim}`);
}

function rows(what: string, { ratio, ours, bare }: Comparison, aim = ""): void {
  row(what, ratio.toFixed(2), aim);
  row("  ours, per second", count(ours));
  row("  bare, per second", count(bare));
}

function rotationRows(
  store: string,
  bare: string,
  aim: string,
  { rotate, refresh }: { rotate: Comparison; refresh: Comparison },
): void {
  rows(`Rotations on ${store}, 32 in flight / ${bare}`, rotate, aim);
  row(`Refreshes on ${store}, each with a signed access token / the same`, refresh.ratio.toFixed(2));
  row("  ours, per second", count(refresh.ours));
}

function lossRows(what: string, { sessions, signedOut, codes, retriesThatGoOn, alarms }: AfterLoss): void {
  row(
    `${what}: signed out`,
    `${((100 * signedOut) / sessions).toFixed(1)} %`,
    `of ${sessions}; ${codes.join(", ")}`,
  );
  row("  of these would have gone on by a retry", `${retriesThatGoOn}`, `of ${signedOut}`);
  row("  reuse alarms", `${alarms}`, "aim: 0");
}

function manyRows(store: string, figures: ManySessions): void {
  const { sessions, few, many, ratio, bytesEach, filledPerSecond, pruning } = figures;
  row(
    `Refresh with ${count(sessions)} sessions on ${store} / with 1,000, p50`,
    ratio.toFixed(2),
    "aim: at most 1.30",
  );
  row("  microseconds, with many and with few", `${count(many)} ${count(few)}`);
  row("  bytes for each session", count(bytesEach));
  row("  created per second", count(filledPerSecond));
  row("  while a quarter of them is pruned in batches / without", pruning.ratio.toFixed(2));
  row("  the longest of these refreshes, milliseconds", pruning.longestMs.toFixed(1));
  row("  pruned per second", count(pruning.deletedPerSecond));
}

/** Rotations on a server of its own that writes its disk so, against the bare script on the same one. */
async function rotationsOnRedis(rounds: number, durability: RedisDurability): Promise<Comparison> {
  const server = await startOwnServer("--appendonly", "yes", "--appendfsync", durability);
  try {
    const store = openRedisStore({ url: server.url, durability });
    const figures = await rotations(rounds, 300, store, await bareRedis(server.url));
    return figures.rotate;
  } finally {
    await server.end();
  }
}

/** What two kinds of lost writes do to those who had rotated. */
async function lostRotations(): Promise<{ crash: AfterLoss; promotion: AfterLoss }> {
  const crash = await crashWithoutTheTail(LOSS);
  return { crash, promotion: await promoteTooEarly(LOSS) };
}

const known = Object.keys(sections) as (keyof typeof sections)[];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.some((section) => section === name));
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(", ")} to measure, only ${known.join(", ")}.`);
  process.exit(2);
}
console.log(`Node ${process.version}, medians of ${ROUNDS} rounds, ours and the bare operation in turn.\n`);
for (const name of known) {
  if (asked.length === 0 ? !ONLY_WHEN_ASKED.includes(name) : asked.includes(name)) await sections[name]();
}
