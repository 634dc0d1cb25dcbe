// A server under load, in a process of its own: `node load.ts URL STORY SEED QUESTIONS`. Eight clients sign in, refresh and sign
// out at once, and go on from what the file STORY tells of them. Before each question and after each answer they add to it. After so many
// questions the server stops. LOAD_SYNCHRONOUS: SQLite's setting, where it is to be a weaker one. LOAD_FAULTS: faults of disk.c, one
// after the other, with commas between; each passes after LOAD_REFUSALS_OF_FAULT refusals. Prints the code of each refusal.
import { randomUUID } from "node:crypto";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { databaseUrl } from "../../src/databases/url.ts";
import { openStore } from "../../src/server/open-store.ts";
import type { SessionStore } from "../../src/store.ts";
import { openDatabase } from "../../src/stores/sqlite/migrate.ts";
import { createSqliteStore } from "../../src/stores/sqlite/store.ts";
import { engineOn } from "../../src/testing/protocol-engine.ts";
import { Random } from "../simulation/random.ts";
import { Client, FAIR, type Line, type Question, readStory, told } from "./story.ts";

const [address = "", storyPath = "", seed = "", questions = ""] = process.argv.slice(2);
const { LOAD_SYNCHRONOUS = "", LOAD_FAULTS = "", LOAD_REFUSALS_OF_FAULT = "", DISK_FAULT = "" } = process.env;
const CLIENTS = 8;
const ANSWERS_BEFORE_FAULT = 60;

const random = new Random(seed);
const clients = readStory(existsSync(storyPath) ? readFileSync(storyPath, "utf8") : "");
const story = openSync(storyPath, "a", 0o600);
const faults = LOAD_FAULTS.split(",").filter((fault) => fault !== "");
let asked = 0;
let sinceChange = 0;
let failing = false;

function open(): SessionStore {
  const url = databaseUrl(address);
  if (LOAD_SYNCHRONOUS === "" || url.kind !== "sqlite") return openStore(url, { onWarning: () => {} });
  const database = openDatabase(url.path);
  database.exec(`PRAGMA synchronous = ${LOAD_SYNCHRONOUS}`);
  return createSqliteStore(database);
}

function tell(client: Client, line: Line): void {
  writeSync(story, `${JSON.stringify(line)}\n`);
  client.note(line);
}

function nextQuestion({ held }: Client): Question {
  if (held === null) return { asks: "sign in", challenge: randomUUID() };
  if (random.chance(0.06)) return { asks: "sign out", token: held };
  return { asks: "refresh", token: held, retryKey: randomUUID() };
}

/** Begins the next fault, or ends this one, when it is time. */
function changeFault(): void {
  sinceChange += 1;
  if (sinceChange < (failing ? Number(LOAD_REFUSALS_OF_FAULT) : ANSWERS_BEFORE_FAULT)) return;
  sinceChange = 0;
  if (failing) rmSync(DISK_FAULT);
  const fault = failing ? undefined : faults.shift();
  failing = fault !== undefined;
  if (fault !== undefined) writeFileSync(DISK_FAULT, fault);
}

async function live(client: Client): Promise<void> {
  while (asked < Number(questions) || failing) {
    asked += 1;
    const question = client.asked ?? nextQuestion(client);
    tell(client, { client: client.name, ...question });
    const { code, token } = await told(node, question);
    if (FAIR[question.asks].includes(code)) tell(client, { client: client.name, holds: token });
    else writeSync(1, `${code}\n`);
    changeFault();
    await setImmediate();
  }
}

const node = await engineOn(open());
for (let index = clients.size; index < CLIENTS; index += 1) clients.set(`${index}`, new Client(`${index}`));
await Promise.all([...clients.values()].map(live));
await node.engine.close();
