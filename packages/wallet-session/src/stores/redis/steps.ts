import { createHash } from "node:crypto";
import { UNREADABLE } from "../values.ts";
import { AT, LAYOUT, SWAP } from "./rows.ts";

/**
 * A step of the contract: one Lua script, which Redis runs as one. The scripts stand here as strings, not in files of their own:
 * the package is built by plain `tsc`, bundlers carry no other files along, and the offsets are those of rows.ts.
 */
export interface Script {
  readonly text: string;
  /** SHA-1 of the text, by which Redis knows it once it has seen it. */
  readonly sha: string;
  /** Acknowledged only once it is on disk, as far as the server can say so. */
  readonly durable: boolean;
  /** Sent again also where it may have been done: done twice, it leaves the same, or the caller can tell. */
  readonly repeatable: boolean;
}

/**
 * With the first line Redis checks before a script begins whether it may write at all (replica, disk, memory), so that none
 * ends in the middle. `allow-oom`: what ends sessions, frees memory or needs no more of it goes on where memory is full.
 */
function script(
  flags: "" | "flags=allow-oom" | "flags=no-writes",
  body: string,
  { durable = flags !== "flags=no-writes", repeatable = true } = {},
): Script {
  const text = `${`#!lua ${flags}`.trim()}\n${body}`;
  return { text, sha: createHash("sha1").update(text).digest("hex"), durable, repeatable };
}

/** Where Lua finds a part of a row or a swap: it counts from 1. */
const from = (offset: number) => offset + 1;

/** Reads rows by the offsets of rows.ts. Each script reads all that it needs before it writes. */
const ROWS = `
local function is_row(row) return #row >= ${AT.actor} and row:byte(${from(AT.layout)}) == ${LAYOUT} end
local function read(key)
  local row = redis.call('GET', key)
  if row and not is_row(row) then error('${UNREADABLE}') end
  return row
end
-- In parentheses: unpack gives the next position as well.
local function idle_end(row) return (struct.unpack('>d', row, ${from(AT.idleExpiresAt)})) end
local function absolute_end(row) return (struct.unpack('>d', row, ${from(AT.expiresAt)})) end
local function is_revoked(row) return row:byte(${from(AT.reason)}) ~= 0 end
local function is_live(row, now) return not is_revoked(row) and idle_end(row) > now and absolute_end(row) > now end
local function actor_of(row)
  return row:sub(${from(AT.actor)}, ${AT.actor} + (struct.unpack('>I4', row, ${from(AT.actorBytes)})))
end
`;

/**
 * KEYS: ends, position, log, log by time, events, events by time. ARGV: prefix, revoked at, the same as in the row, reason as
 * in the row. Marks the rows, appends to the log and to the events, and wakes the listeners: where that fails, they poll.
 */
const REVOKE = `${ROWS}
local prefix, revoked_at, written_at, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local function revoke(ids, rows)
  if #ids == 0 then return end
  local position = redis.call('INCRBY', KEYS[2], #ids) - #ids
  for i, id in ipairs(ids) do
    position = position + 1
    local actor = actor_of(rows[i])
    redis.call('SETRANGE', prefix .. 's:' .. id, ${AT.revokedAt}, written_at .. reason)
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZREM', prefix .. 'a:' .. actor, id)
    if reason == '\\3' then redis.call('ZADD', prefix .. 'r:' .. actor, revoked_at, id) end
    local entry = struct.pack('>d', position) .. written_at .. reason .. id
    redis.call('ZADD', KEYS[3], position, entry)
    redis.call('ZADD', KEYS[4], revoked_at, entry)
    redis.call('ZADD', KEYS[5], position, entry .. actor)
    redis.call('ZADD', KEYS[6], revoked_at, entry .. actor)
  end
  redis.pcall('PUBLISH', prefix .. 'wake', '')
end
`;

/** KEYS and ARGV are named above each; numbers are decimal but where they are "as in the row". */
export const SCRIPTS = {
  /**
   * KEYS: session, challenges, actor, ends, examine. ARGV: row, id, challenge, its end, created at, end, examine at.
   * 1: created; 0: the challenge was used.
   */
  createSession: script(
    "",
    `if redis.call('ZSCORE', KEYS[2], ARGV[3]) then return 0 end
     if redis.call('EXISTS', KEYS[1]) == 1 then return redis.error_reply('TAKEN A session with this id exists already.') end
     redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
     redis.call('SET', KEYS[1], ARGV[1])
     redis.call('ZADD', KEYS[3], ARGV[5], ARGV[2])
     redis.call('ZADD', KEYS[4], ARGV[6], ARGV[2])
     redis.call('ZADD', KEYS[5], ARGV[7], ARGV[2])
     return 1`,
  ),

  /**
   * KEYS: sessions. ARGV: for each its swap in one piece (rows.ts). Answers for each: 1 and the row after the swap; 0 and the row
   * as it stands; nothing where there is no row; 0 and an empty row for a foreign value, which does not disturb the others.
   */
  rotate: script(
    "flags=allow-oom",
    `${ROWS}
     local function rotate(key, swap)
       local row = redis.pcall('GET', key)
       if not row then return false end
       if type(row) ~= 'string' or not is_row(row) then return {0, ''} end
       local now, idle_limit = struct.unpack('>dd', swap, ${from(SWAP.now)})
       local expected = row:sub(${from(AT.transport)}, ${AT.salt})
       local is_last = row:sub(${from(AT.generation)}, ${AT.secretHash}) == '\\255\\255\\255\\255'
       if expected ~= swap:sub(1, ${SWAP.next}) or is_last or not is_live(row, now) then return {0, row} end
       local idle_bytes = swap:sub(${from(SWAP.idleLimit)})
       if idle_limit > absolute_end(row) then idle_bytes = row:sub(${from(AT.expiresAt)}, ${AT.actorBytes}) end
       local written = swap:sub(${from(SWAP.next)}, ${SWAP.idleLimit}) .. idle_bytes
       redis.call('SETRANGE', key, ${AT.generation}, written)
       return {1, row:sub(1, ${AT.generation}) .. written .. row:sub(${from(AT.revokedAt)})}
     end
     local replies = {}
     for i, key in ipairs(KEYS) do replies[i] = rotate(key, ARGV[i]) end
     return replies`,
  ),

  /** KEYS: actor. ARGV: prefix, now, limit. Id, row, id, row. In pieces, since idle sessions stand among the live ones. */
  listSessions: script(
    "flags=no-writes",
    `${ROWS}
     local now, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
     local found, start = {}, 0
     while #found < 2 * limit do
       local ids = redis.call('ZREVRANGE', KEYS[1], start, start + limit - 1)
       for _, id in ipairs(ids) do
         local row = read(ARGV[1] .. 's:' .. id)
         if row and is_live(row, now) and #found < 2 * limit then
           found[#found + 1] = id
           found[#found + 1] = row
         end
       end
       if #ids < limit then break end
       start = start + limit
     end
     return found`,
  ),

  /** KEYS: ended by reuse. ARGV: prefix, since, limit. Id, row, id, row. */
  endedByReuse: script(
    "flags=no-writes",
    `local found = {}
     for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])) do
       local row = redis.call('GET', ARGV[1] .. 's:' .. id)
       if row then
         found[#found + 1] = id
         found[#found + 1] = row
       end
     end
     return found`,
  ),

  /** As REVOKE, and KEYS: session; ARGV: id. 1 and the row from before where it hit, 0 and the row where not; or nothing. */
  revokeSession: script(
    "flags=allow-oom",
    `${REVOKE}
     local row = read(KEYS[7])
     if not row then return false end
     if is_revoked(row) then return {0, row} end
     revoke({ARGV[5]}, {row})
     return {1, row}`,
  ),

  /** As REVOKE, and KEYS: actor; ARGV: the id that stays, or nothing. The ids. */
  revokeActor: script(
    "flags=allow-oom",
    `${REVOKE}
     local ids, rows = {}, {}
     for _, id in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
       local row = read(prefix .. 's:' .. id)
       if row and id ~= ARGV[5] and is_live(row, tonumber(revoked_at)) then
         ids[#ids + 1] = id
         rows[#rows + 1] = row
       end
     end
     revoke(ids, rows)
     return ids`,
    { repeatable: false },
  ),

  /** As REVOKE, and ARGV: limit. The ids. */
  revokeBatch: script(
    "flags=allow-oom",
    `${REVOKE}
     local ids, rows = {}, {}
     for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. revoked_at, '+inf', 'LIMIT', 0, ARGV[5])) do
       local row = read(prefix .. 's:' .. id)
       if row then
         ids[#ids + 1] = id
         rows[#rows + 1] = row
       end
     end
     revoke(ids, rows)
     return ids`,
    { repeatable: false },
  ),

  /** KEYS: log, position. ARGV: after which position, limit. The entries, and the last position ever. */
  revocationsAfter: script(
    "flags=no-writes",
    `local entries = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
     return {entries, tonumber(redis.call('GET', KEYS[2]) or 0)}`,
  ),

  /** KEYS: delivery claim, events. ARGV: owner, now, until, limit. The events, or nothing where another has the claim. */
  claimEvents: script(
    "flags=allow-oom",
    `local held = redis.call('HMGET', KEYS[1], 'owner', 'until')
     if held[1] and held[1] ~= ARGV[1] and tonumber(held[2]) > tonumber(ARGV[2]) then return false end
     redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', ARGV[3])
     return redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[4]) - 1)`,
    { durable: false },
  ),

  /** KEYS: delivery claim, events, events by time. ARGV: owner, position, 1 to release. 1 where the owner has the claim. */
  settleEvents: script(
    "flags=allow-oom",
    `if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
     for _, event in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])) do
       redis.call('ZREM', KEYS[2], event)
       redis.call('ZREM', KEYS[3], event)
     end
     if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
     return 1`,
    { durable: false },
  ),

  /** KEYS: signing keys. ARGV: the key, its kid, and the kid that must be the newest, or nothing. 1 where it was added. */
  addSigningKey: script(
    "",
    `local newest = false
     local taken = false
     for _, key in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
       newest = cjson.decode(key).kid
       taken = taken or newest == ARGV[2]
     end
     if newest ~= (ARGV[3] or false) then return 0 end
     if taken then return redis.error_reply('TAKEN A signing key with this kid exists.') end
     redis.call('RPUSH', KEYS[1], ARGV[1])
     return 1`,
    { repeatable: false },
  ),

  /**
   * KEYS: examine, ends. ARGV: prefix, the bound, limit. Deletes the ended ones of the next sessions that are due for a look,
   * and puts the others off to their end. How many it looked at, and how many it deleted.
   */
  pruneSessions: script(
    "flags=allow-oom",
    `${ROWS}
     local prefix, before, deleted = ARGV[1], tonumber(ARGV[2]), 0
     local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
     for _, id in ipairs(due) do
       local row = read(prefix .. 's:' .. id)
       local ends_at = row and math.min(idle_end(row), absolute_end(row))
       if row and ends_at >= before then
         redis.call('ZADD', KEYS[1], ends_at, id)
       else
         redis.call('ZREM', KEYS[1], id)
         redis.call('ZREM', KEYS[2], id)
         if row then
           local actor = actor_of(row)
           redis.call('ZREM', prefix .. 'a:' .. actor, id)
           redis.call('ZREM', prefix .. 'r:' .. actor, id)
           redis.call('DEL', prefix .. 's:' .. id)
           deleted = deleted + 1
         end
       end
     end
     return {#due, deleted}`,
    { durable: false },
  ),

  /** KEYS: what is sorted by time, and where the same stands besides. ARGV: the bound, limit. How many were deleted. */
  pruneByTime: script(
    "flags=allow-oom",
    `local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
     for _, entry in ipairs(old) do
       for _, key in ipairs(KEYS) do redis.call('ZREM', key, entry) end
     end
     return #old`,
    { durable: false },
  ),
} as const satisfies Record<string, Script>;
