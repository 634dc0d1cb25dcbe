import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openSqliteStore } from "../../src/stores/sqlite.ts";
import { engineOn } from "../../src/testing/protocol-engine.ts";
import { Random } from "../simulation/random.ts";
import { Disk, type Files, type Operation, readJournal, type Shares, writeFiles } from "./disk.ts";
import { goOn, readStory } from "./story.ts";

/** As disk.c reads them: what fails, and the errno. */
const DISK_FAULTS = {
  "full disk": "x 28",
  "no write succeeds": "w 5",
  "no sync succeeds": "s 5",
} as const;
type DiskFault = keyof typeof DISK_FAULTS;

export interface PowerCuts {
  /** As built by `buildDisk`. */
  readonly library: string;
  /** For files, which stay there. */
  readonly directory: string;
  readonly seed: string;
  /** So often the server starts from what a power cut has left. */
  readonly lives: number;
  /** Moments of each life at which the power is cut. */
  readonly cutsOfEach: number;
  /** Questions of the clients in each life. */
  readonly questions: number;
  /** SQLite's setting, where it is not the store's own. */
  readonly synchronous?: "OFF" | "NORMAL";
  readonly keeps?: Shares;
  /** What each life meets, one after the other. */
  readonly faults?: readonly DiskFault[];
}

export interface AfterPowerCuts {
  readonly cuts: number;
  /** Answers that the clients had when the power was cut, over all cuts. */
  readonly acknowledged: number;
  readonly operations: number;
  /** Codes of what was refused before the cuts. */
  readonly refusals: readonly string[];
  readonly alarms: number;
  /** What a client remembers otherwise than the disk. */
  readonly lost: readonly string[];
}

/** A machine at the moment of the cut: its disk, and what the clients elsewhere remember. */
interface Remains {
  readonly files: Files;
  readonly story: string;
}

/** Refusals, or answers in spite of it, before a fault passes. */
export const REFUSALS_OF_FAULT = 24;
const LOAD = fileURLToPath(import.meta.resolve("./load.ts"));
const DATABASE = "sessions.db";

/** Runs servers under load on SQLite, cuts their power, and asks what is left on the disk for all that was acknowledged. */
export async function cutPower(options: PowerCuts): Promise<AfterPowerCuts> {
  const random = new Random(options.seed);
  const sum = { cuts: 0, acknowledged: 0, operations: 0, alarms: 0 };
  const refusals: string[] = [];
  const lost: string[] = [];
  let remains: Remains = { files: new Map(), story: "" };
  for (let life = 1; life <= options.lives; life += 1) {
    const home = join(options.directory, `${life}`);
    refusals.push(...(await runLoad(options, home, remains, `${options.seed} ${life}`)));
    const operations = readJournal(join(home, "journal"));
    const all = cutsOf(operations, remains, options, random);
    for (const cut of all) {
      const found = await holdAgainst(cut, join(home, "cut"), random);
      lost.push(...found.wrong.map((words) => `life ${life}: ${words}`));
      sum.alarms += found.alarms;
      sum.acknowledged += cut.story.match(/"holds"/g)?.length ?? 0;
    }
    sum.cuts += all.length;
    sum.operations += operations.length;
    remains = all[random.below(all.length)] ?? remains;
    rmSync(home, { recursive: true });
  }
  return { ...sum, refusals, lost };
}

/** Returns what was refused. */
async function runLoad(
  { library, synchronous, faults = [], questions }: PowerCuts,
  home: string,
  { files, story }: Remains,
  seed: string,
): Promise<string[]> {
  const directory = join(home, "disk");
  const storyPath = join(directory, "story");
  writeFiles(directory, files);
  writeFileSync(storyPath, story);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [LOAD, `sqlite:${join(directory, DATABASE)}`, storyPath, seed, `${questions}`],
    {
      env: {
        ...process.env,
        LD_PRELOAD: library,
        DISK_DIRECTORY: directory,
        DISK_JOURNAL: join(home, "journal"),
        DISK_FAULT: join(home, "fault"),
        LOAD_SYNCHRONOUS: synchronous ?? "",
        LOAD_REFUSALS_OF_FAULT: `${REFUSALS_OF_FAULT}`,
        LOAD_FAULTS: faults.map((fault) => DISK_FAULTS[fault]).join(","),
      },
    },
  );
  return stdout.split("\n").filter((line) => line !== "");
}

/** What is left at some moments, in their order. Half of them follow a line of a client: an answer has just been given. */
function cutsOf(
  operations: readonly Operation[],
  { files, story }: Remains,
  { cutsOfEach, keeps }: PowerCuts,
  random: Random,
): Remains[] {
  const lines = operations.flatMap(({ file }, index) => (file === "story" ? [index] : []));
  const moments = Array.from({ length: cutsOfEach }, () =>
    random.chance(0.5) ? random.below(operations.length) : (lines[random.below(lines.length)] ?? 0) + 1,
  );
  const disk = new Disk(files, random, keeps);
  const told = [story];
  return operations.flatMap((operation, index) => {
    const cuts = moments.filter((moment) => moment === index);
    const remains = cuts.map(() => ({ files: disk.afterPowerCut(), story: told.join("") }));
    if (operation.file !== "story") disk.apply(operation);
    else told.push(operation.bytes.toString());
    return remains;
  });
}

/** Starts the service on what is left, and lets every client go on. */
async function holdAgainst(
  { files, story }: Remains,
  directory: string,
  random: Random,
): Promise<{ wrong: string[]; alarms: number }> {
  writeFiles(directory, files);
  const path = join(directory, DATABASE);
  // The memory that processes share may have left anything in its file.
  if (random.chance(0.5)) writeFileSync(`${path}-shm`, random.bytes(32_768));
  try {
    const wrong = integrityOf(path);
    const node = await engineOn(openSqliteStore({ path }));
    const clients = [...readStory(story).values()];
    wrong.push(...(await Promise.all(clients.map((client) => goOn(node, client)))).flat());
    await node.engine.close();
    return { wrong, alarms: node.alarms() };
  } catch (error) {
    return { wrong: [`the store: ${error}`], alarms: 0 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function integrityOf(path: string): string[] {
  const database = new DatabaseSync(path);
  const rows = database.prepare("PRAGMA integrity_check").all();
  database.close();
  return rows.flatMap(({ integrity_check: words }) => (words === "ok" ? [] : [`the file: ${words}`]));
}
