import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { resolveAddresses } from "./client-domain.ts";

const A = 1;

/** A DNS server on this machine that knows the IPv4 address of one name (RFC 1035, section 4). */
async function startDns(known: string): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { port }) => {
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const name = nameOf(question);
    const found = name === known && question.readUInt16BE(question.length - 4) === A;
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(name === known ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found ? 1 : 0, 6);
    header.writeUInt32BE(0, 8);
    const record = Buffer.from([0xc0, 12, 0, A, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]);
    socket.send(Buffer.concat([header, question, ...(found ? [record] : [])]), port, "127.0.0.1");
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return `127.0.0.1:${(socket.address() as AddressInfo).port}`;
}

function nameOf(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 0; question[at]; at += (question[at] ?? 0) + 1) {
    labels.push(question.toString("latin1", at + 1, at + 1 + (question[at] ?? 0)));
  }
  return labels.join(".");
}

test("a name's addresses come from DNS, whichever of the two families it has", async () => {
  const server = await startDns("wallet.example");
  expect(await resolveAddresses("wallet.example", [server])).toEqual([
    { address: "198.51.100.7", family: 4 },
  ]);
});

test("a name that does not exist has no address", async () => {
  const server = await startDns("wallet.example");
  await expect(resolveAddresses("other.example", [server])).rejects.toThrow("no address");
});
