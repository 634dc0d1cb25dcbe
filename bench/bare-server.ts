// The least that a refresh endpoint can be: reads the body, signs an access token of the same form, answers as much.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { SignJWT } from "jose";

const { privateKey } = generateKeyPairSync("ed25519");

createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { refresh_token } = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
  const now = Math.floor(Date.now() / 1_000);
  const token = await new SignJWT({ sid: "AAAAAAAAAAAAAAAAAAAAAA" })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: "AAAAAAAAAAA" })
    .setIssuer("http://localhost:3000")
    .setAudience("http://localhost:3000")
    .setSubject("GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H")
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + 900)
    .sign(privateKey);
  const body = JSON.stringify({
    access_token: token,
    token_type: "Bearer",
    expires_in: 900,
    refresh_token,
    refresh_expires_in: 604_800,
    session_id: "AAAAAAAAAAAAAAAAAAAAAA",
  });
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}).listen(Number(process.env.PORT), "127.0.0.1");
