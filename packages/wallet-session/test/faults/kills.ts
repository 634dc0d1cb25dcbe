import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { databaseUrl } from "../../src/databases/url.ts";
import { openStore } from "../../src/server/open-store.ts";
import { engineOn } from "../../src/testing/protocol-engine.ts";
import { Random } from "../simulation/random.ts";
import { goOn, readStory } from "./story.ts";

export interface Kills {
  /** As `DATABASE_URL`; empty at first. */
  readonly url: string;
  /** For the file of what the clients remember; made if missing. */
  readonly directory: string;
  readonly seed: string;
  readonly kills: number;
  /** What else happens while the server is dead. */
  readonly meanwhile?: () => Promise<void>;
}

export interface AfterKills {
  readonly acknowledged: number;
  readonly alarms: number;
  /** What the servers refused, and what a client remembers otherwise than the last server. */
  readonly wrong: readonly string[];
}

const LOAD = fileURLToPath(import.meta.resolve("./load.ts"));
/** Lines of the clients, at most, between a start and the kill. */
const LINES_OF_LIFE = 400;

/** Kills a server under load again and again, each time at another moment; then every client goes on where it was. */
export async function killServers(options: Kills): Promise<AfterKills> {
  const { url, directory, seed, kills, meanwhile = async () => {} } = options;
  mkdirSync(directory, { recursive: true });
  const storyPath = join(directory, "story");
  const random = new Random(seed);
  const refused: string[] = [];
  for (let life = 1; life <= kills; life += 1) {
    refused.push(...(await oneLife(url, storyPath, `${seed} ${life}`, random)));
    await meanwhile();
  }
  const store = openStore(databaseUrl(url), { onWarning: () => {} });
  const node = await engineOn(store);
  const story = readFileSync(storyPath, "utf8");
  const found = await Promise.all([...readStory(story).values()].map((client) => goOn(node, client)));
  await node.engine.close();
  const acknowledged = story.match(/"holds"/g)?.length ?? 0;
  return { acknowledged, alarms: node.alarms(), wrong: [...refused, ...found.flat()] };
}

/** Returns what was refused in it. */
async function oneLife(url: string, storyPath: string, seed: string, random: Random): Promise<string[]> {
  const linesNow = () => (existsSync(storyPath) ? readFileSync(storyPath, "latin1").split("\n").length : 1);
  const until = linesNow() + 1 + random.below(LINES_OF_LIFE);
  const server = spawn(process.execPath, [LOAD, url, storyPath, seed, "Infinity"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told: string[] = [];
  server.stdout.on("data", (chunk) => told.push(`${chunk}`));
  const exit = once(server, "close");
  while (linesNow() < until && server.exitCode === null) await pause(1);
  server.kill("SIGKILL");
  const [code] = await exit;
  if (code !== null) throw new Error(`the server under load ended with ${code}`);
  return told
    .join("")
    .split("\n")
    .filter((line) => line !== "");
}
