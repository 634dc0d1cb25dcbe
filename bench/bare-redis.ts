import { randomBytes } from "node:crypto";
import { createClient, RESP_TYPES } from "@redis/client";
import { SCRIPTS } from "../packages/wallet-session/src/stores/redis/steps.ts";
import { type BareSwaps, IN_FLIGHT } from "./rotations.ts";

/** A row and what swaps it, in the layout of the store's rows.ts: body, generation 1, live for ever. */
const ROW_BYTES = 260;
const SWAP_BYTES = 138;

/** On Redis, through the same driver: one connection, one script by its hash. */
export async function bareRedis(url: string): Promise<BareSwaps> {
  const commandOptions = { timeout: 0, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const client = await createClient({ url, commandOptions }).connect();
  const end = Buffer.alloc(8);
  end.writeDoubleBE(Number.MAX_SAFE_INTEGER);
  const rows = Array.from({ length: IN_FLIGHT }, () => {
    const row = Buffer.alloc(ROW_BYTES);
    row.writeUInt8(1, 0);
    end.copy(row, 95);
    end.copy(row, 120);
    const swap = Buffer.alloc(SWAP_BYTES);
    end.copy(swap, 130);
    return { key: Buffer.concat([Buffer.from("{wallet_session_bare}:s:"), randomBytes(16)]), row, swap };
  });
  for (const { key, row } of rows) await client.set(key, row);
  const { text, sha } = SCRIPTS.rotate;
  await client.scriptLoad(text);

  return {
    async swap(each) {
      await Promise.all(
        rows.map(async ({ key, swap }) => {
          for (let n = 0; n < each; n += 1) {
            const next = Buffer.from(swap);
            next.writeUInt32BE(swap.readUInt32BE(1) + 1, 37);
            const [reply] = await client.sendCommand<[unknown]>(["EVALSHA", sha, "1", key, next]);
            if (!Array.isArray(reply) || reply[0] !== 1) throw new Error("the bare swap did not match");
            swap.writeUInt32BE(next.readUInt32BE(37), 1);
          }
        }),
      );
    },
    async close() {
      await client.unlink(rows.map(({ key }) => key));
      client.destroy();
    },
  };
}
