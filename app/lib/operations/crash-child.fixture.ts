// A process with one worker (workers.fixture.ts): `node crash-child.fixture.ts PLACE SENT NOW POINT CLAIM_MS`. It writes a line for each
// settlement that it sends to the file SENT. At the point it says "here" and stops (SIGSTOP); when it is let go on (SIGCONT), it
// finishes what it is at and ends. NOW: what its clock says all the time; empty: it has the machine's.
import { appendFileSync, writeSync } from "node:fs";
import { registerHooks } from "node:module";
import type { Place } from "../sql/databases.fixture.ts";
import type { SettlementSender } from "../streams/settlement.ts";

const [place = "", sentLog = "", now = "", point = "", claimMs = ""] = process.argv.slice(2);

// The package's sources, as the app's other tests read them.
registerHooks({
  resolve(specifier, context, next) {
    const match = /^wallet-session(?:\/(.+))?$/.exec(specifier);
    if (match === null) return next(specifier, context);
    const source = `../../../packages/wallet-session/src/${match[1] ?? "index"}.ts`;
    return next(new URL(source, import.meta.url).href, context);
  },
});
const { openSql } = await import("../sql/sql.ts");
const { Worker } = await import("./worker.ts");
const { randomBytes } = await import("node:crypto");

function stopAt(name: string): void {
  if (name !== point) return;
  writeSync(1, "here\n");
  process.kill(process.pid, "SIGSTOP");
  // Other threads may hear of it a little earlier than this one.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  void worker.stop().then(() => sql.close());
}

const { url, schema }: Place = JSON.parse(place);
const sql = await openSql(url, (fault) => writeSync(2, `${fault}\n`), { schema });
const write = sql.write.bind(sql);
let writes = 0;
sql.write = async (work) => {
  writes += 1;
  const number = writes;
  const result = await write(async (tx) => {
    const inside = await work(tx);
    stopAt(`inside write ${number}`);
    return inside;
  });
  stopAt(`after write ${number}`);
  return result;
};

let sends = 0;
const sender: SettlementSender = {
  async settle({ id, streamId, amount }) {
    sends += 1;
    appendFileSync(sentLog, `${id} ${streamId} ${amount}\n`);
    stopAt(`after send ${sends}`);
    return { reference: null };
  },
};

const worker = new Worker({
  sql,
  sender,
  random: randomBytes,
  clock: now === "" ? Date : { now: () => Number(now) },
  standing: async () => ({ status: "live" }),
  pace: { turn: () => new Promise((resolve) => setImmediate(resolve)) },
  onFault: (fault) => writeSync(2, `${fault}\n`),
  claimMs: Number(claimMs),
  pollMs: 100,
  retryMs: 20,
});
