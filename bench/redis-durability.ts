import {
  type AfterLoss,
  crashWithoutTheTail,
  promoteTooEarly,
} from "../packages/wallet-session/src/stores/redis/lost-writes.fixture.ts";
import { startOwnServer } from "../packages/wallet-session/src/stores/redis/own-server.fixture.ts";
import { openRedisStore, type RedisDurability } from "../packages/wallet-session/src/stores/redis.ts";
import { bareRedis } from "./bare.ts";
import type { Comparison } from "./measure.ts";
import { rotations } from "./rotations.ts";

/** A thousand sessions that refresh in ten seconds, of which the last one is lost. */
const LOSS = { sessions: 1_000, overMs: 10_000, lostMs: 1_000 };

/** Rotations on a server of its own that writes its disk so, against the bare script on the same one. */
export async function rotationsOnRedis(rounds: number, durability: RedisDurability): Promise<Comparison> {
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
export async function lostRotations(): Promise<{ crash: AfterLoss; promotion: AfterLoss }> {
  const crash = await crashWithoutTheTail(LOSS);
  return { crash, promotion: await promoteTooEarly(LOSS) };
}
