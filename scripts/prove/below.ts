// Faults below the engine: power, disks, connections, processes, clocks.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { openPostgresStore } from "../../packages/wallet-session/src/stores/postgres.ts";
import { startOwnServer } from "../../packages/wallet-session/src/stores/redis/own-server.fixture.ts";
import { openRedisStore } from "../../packages/wallet-session/src/stores/redis.ts";
import { leapClocks } from "../../packages/wallet-session/test/faults/clocks.ts";
import { cutAnswers } from "../../packages/wallet-session/test/faults/cut-answers.ts";
import { buildDisk } from "../../packages/wallet-session/test/faults/disk.ts";
import { killServers } from "../../packages/wallet-session/test/faults/kills.ts";
import {
  type AfterPowerCuts,
  cutPower,
  type PowerCuts,
} from "../../packages/wallet-session/test/faults/power-cuts.ts";
import { noCompiler } from "../setup/services.ts";
import type { Part, Proof } from "./part.ts";

const LIVES = { seed: "prove", lives: 10, cutsOfEach: 5, questions: 1_500 };
const ONE_LIFE = { lives: 1, questions: 300, keeps: [0] } as const;

/** Each line, and whether answers must be lost: by settings that risk them, so that the cuts are shown to cut. */
const POWER: readonly (Partial<PowerCuts> & { readonly what: string; readonly loses: boolean })[] = [
  { what: "power cuts on SQLite", loses: false },
  {
    what: "power cuts on SQLite after a full disk and failed writes and syncs",
    faults: ["full disk", "no write succeeds", "no sync succeeds"],
    loses: false,
  },
  {
    what: "power cuts with synchronous=OFF, found to lose answers",
    synchronous: "OFF",
    ...ONE_LIFE,
    loses: true,
  },
  {
    what: "power cuts with synchronous=NORMAL, found to lose answers",
    synchronous: "NORMAL",
    ...ONE_LIFE,
    loses: true,
  },
];

export const powerCuts: Part = ({ tell }) =>
  withDirectory(async (directory) => {
    const missing = noCompiler();
    if (missing !== null) return [{ what: "power cuts on SQLite", tried: 0, failed: [missing], ours: true }];
    const library = await buildDisk(directory);
    const proofs: Proof[] = [];
    for (const { what, loses, ...options } of POWER) {
      const after = await cutPower({ ...LIVES, library, directory, ...options });
      tell(`${what}: ${after.acknowledged} answers held against ${after.cuts} disks.`);
      proofs.push({ what, tried: after.cuts, failed: failedIn(after, loses), ours: true });
    }
    return proofs;
  });

function failedIn({ lost, refusals, alarms }: AfterPowerCuts, loses: boolean): string[] {
  if (loses) return lost.length === 0 ? ["nothing was lost"] : [];
  const wrong = refusals.filter((code) => code !== "store_unavailable");
  return [...lost, ...new Set(wrong), ...(alarms === 0 ? [] : [`${alarms} alarms`])];
}

/** After every byte where the database is back at once; where it is away each cut takes longer. */
const CUT_STEPS = { back: 1, away: 4 };

export const cutConnections: Part = async ({ tell }) => {
  const proofs: Proof[] = [];
  for (const { name, use, open } of [
    { name: "PostgreSQL", use: onPostgres, open: (url: string) => openPostgresStore({ url }) },
    { name: "Redis", use: onRedis, open: (url: string) => openRedisStore({ url }) },
  ]) {
    const { cuts, codes, wrong } = await use(({ url }) => cutAnswers({ databaseUrl: url, open }, CUT_STEPS));
    tell(`Connections to ${name} cut within ${cuts} answers. The callers were told: ${codes.join(", ")}.`);
    proofs.push({ what: `answers of ${name} cut after each byte`, tried: cuts, failed: wrong, ours: true });
  }
  return proofs;
};

const KILLS = 30;

export const kills: Part = async ({ tell }) => {
  const proofs: Proof[] = [];
  for (const [name, use] of Object.entries({
    SQLite: onSqlite,
    PostgreSQL: onPostgres,
    "Redis, which is killed too": onRedis,
  })) {
    const { acknowledged, alarms, wrong } = await use((place) =>
      withDirectory((directory) => killServers({ ...place, directory, seed: "prove", kills: KILLS })),
    );
    tell(`Server on ${name}: killed ${KILLS} times, ${acknowledged} answers held against it.`);
    const failed = alarms === 0 ? wrong : [...wrong, `${alarms} alarms`];
    proofs.push({ what: `kills of a server on ${name}`, tried: KILLS, failed, ours: true });
  }
  return proofs;
};

const CLOCK_WORLDS = 200;

export const clocks: Part = async () => {
  const wrong = new Set<string>();
  let leaps = 0;
  for (let world = 1; world <= CLOCK_WORLDS; world += 1) {
    const after = await leapClocks(`prove ${world}`, 250);
    leaps += after.leaps;
    for (const words of after.wrong) wrong.add(`world ${world}: ${words}`);
  }
  return [{ what: "leaps of the clocks of two nodes", tried: leaps, failed: [...wrong], ours: true }];
};

interface Place {
  readonly url: string;
  /** What else happens while the server is dead. */
  readonly meanwhile?: () => Promise<void>;
}

type OnPlace = <Output>(use: (place: Place) => Promise<Output>) => Promise<Output>;

const onSqlite: OnPlace = (use) =>
  withDirectory((directory) => use({ url: `sqlite:${join(directory, "sessions.db")}` }));

const onPostgres: OnPlace = async (use) => {
  const server = process.env.POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres";
  const name = `prove_${randomBytes(6).toString("hex")}`;
  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
    return await use({ url: Object.assign(new URL(server), { pathname: `/${name}` }).href });
  } finally {
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await client.end();
  }
};

const onRedis: OnPlace = async (use) => {
  const server = await startOwnServer("--appendonly", "yes", "--appendfsync", "always");
  try {
    return await use({ url: server.url, meanwhile: () => server.kill().then(server.start) });
  } finally {
    await server.end();
  }
};

async function withDirectory<Output>(use: (directory: string) => Promise<Output>): Promise<Output> {
  const directory = mkdtempSync(join(tmpdir(), "below-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
