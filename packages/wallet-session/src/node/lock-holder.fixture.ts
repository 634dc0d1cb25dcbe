// Takes the lock of a storage, says so, answers each line, and never lets go.
import { fileStorage } from "./file-storage.ts";

await fileStorage(process.argv[2] ?? "").lock(async () => {
  console.log("held");
  for await (const _ of process.stdin) console.log("still held");
});
