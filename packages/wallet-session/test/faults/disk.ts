import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Random } from "../simulation/random.ts";

/** What a process did to the files of one directory, in order (disk.c). */
export interface Operation {
  readonly kind: "create" | "write" | "truncate" | "sync" | "failed sync" | "unlink";
  /** "." is the directory itself, whose sync makes names durable. */
  readonly file: string;
  readonly at: number;
  readonly bytes: Buffer;
}

/** By name. */
export type Files = ReadonlyMap<string, Buffer>;

/** Of the sectors of a file that are not synced, such a share is kept. One of them is picked each time. */
export type Shares = readonly [number, ...number[]];

const KINDS: Readonly<Record<string, Operation["kind"]>> = {
  C: "create",
  W: "write",
  T: "truncate",
  S: "sync",
  F: "failed sync",
  U: "unlink",
};

/** The part of a write that a disk keeps or loses as one. */
const SECTOR_BYTES = 512;

/** Builds disk.c; returns its path. @throws what gcc says */
export async function buildDisk(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const library = join(directory, "disk.so");
  const source = fileURLToPath(import.meta.resolve("./disk.c"));
  const args = ["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"];
  await promisify(execFile)("gcc", args);
  return library;
}

export function readJournal(path: string): Operation[] {
  const journal = readFileSync(path);
  const operations: Operation[] = [];
  for (let at = 0; at < journal.length; ) {
    const end = journal.indexOf("\n", at);
    const [letter = "", file = "", offset, size] = journal.toString("latin1", at, end).split(" ");
    const kind = KINDS[letter];
    if (kind === undefined) throw new Error(`no operation at ${at} of ${path}`);
    const bytes = journal.subarray(end + 1, end + 1 + Number(size));
    operations.push({ kind, file, at: Number(offset), bytes });
    at = end + 1 + bytes.length;
  }
  return operations;
}

export function writeFiles(directory: string, files: Files): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes, { mode: 0o600 });
}

class DiskFile {
  bytes: Buffer;
  pending: Operation[] = [];

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.bytes = bytes;
  }

  apply(operation: Operation, keepsSector: () => boolean): void {
    if (operation.kind === "truncate") {
      if (keepsSector()) this.#resize(operation.at);
      return;
    }
    const end = operation.at + operation.bytes.length;
    for (let from = operation.at; from < end; ) {
      const to = Math.min(end, from - (from % SECTOR_BYTES) + SECTOR_BYTES);
      if (keepsSector()) {
        if (to > this.bytes.length) this.#resize(to);
        operation.bytes.copy(this.bytes, from, from - operation.at, to - operation.at);
      }
      from = to;
    }
  }

  #resize(length: number): void {
    if (length <= this.bytes.length) this.bytes = this.bytes.subarray(0, length);
    else this.bytes = Buffer.concat([this.bytes, Buffer.alloc(length - this.bytes.length)]);
  }
}

/**
 * What is durable of the files of a directory. A power cut keeps all that was synced. Of the rest it keeps any sectors, and the
 * names that were made and removed up to any moment. Where a sync failed, the same is settled at once: no later sync
 * makes up for it, as on Linux.
 */
export class Disk {
  readonly #random: Random;
  readonly #keeps: Shares;
  /** As the process sees it. */
  readonly #files: Map<string, DiskFile>;
  #names: Map<string, DiskFile>;
  #pendingNames: { name: string; file: DiskFile | null }[] = [];

  constructor(files: Files, random: Random, keeps: Shares = [0, 0.1, 0.5, 0.9, 1]) {
    this.#random = random;
    this.#keeps = keeps;
    this.#files = new Map([...files].map(([name, bytes]) => [name, new DiskFile(Buffer.from(bytes))]));
    this.#names = new Map(this.#files);
  }

  apply(operation: Operation): void {
    const { kind, file: name } = operation;
    const file = this.#files.get(name);
    switch (kind) {
      case "create":
        this.#rename(name, new DiskFile());
        break;
      case "unlink":
        this.#rename(name, null);
        break;
      case "write":
      case "truncate":
        file?.pending.push(operation);
        break;
      case "sync":
        if (name === ".") this.#syncNames();
        for (const pending of file?.pending.splice(0) ?? []) file?.apply(pending, () => true);
        break;
      case "failed sync":
        if (file === undefined) break;
        file.bytes = this.#kept(file);
        file.pending = [];
    }
  }

  afterPowerCut(): Files {
    const names = new Map(this.#names);
    const renamed = this.#random.below(this.#pendingNames.length + 1);
    for (const { name, file } of this.#pendingNames.slice(0, renamed)) {
      if (file === null) names.delete(name);
      else names.set(name, file);
    }
    return new Map([...names].map(([name, file]) => [name, this.#kept(file)]));
  }

  #rename(name: string, file: DiskFile | null): void {
    if (file === null) this.#files.delete(name);
    else this.#files.set(name, file);
    this.#pendingNames.push({ name, file });
  }

  #syncNames(): void {
    this.#names = new Map(this.#files);
    this.#pendingNames = [];
  }

  /** The file with some of its pending sectors. */
  #kept({ bytes, pending }: DiskFile): Buffer {
    const share = this.#random.pick(this.#keeps);
    const kept = new DiskFile(Buffer.from(bytes));
    for (const operation of pending) kept.apply(operation, () => this.#random.chance(share));
    return kept.bytes;
  }
}
