// A process that delivers the security events of a SQLite file to a webhook: `node delivery-child.fixture.ts PATH URL SECRET AHEAD`.
// It ends one session of its own unless its clock is ahead of the real one, by AHEAD milliseconds. For security-webhook.test.ts.
import { createSessionEngine } from "../engine/create-session-engine.ts";
import { openSqliteStore } from "../stores/sqlite.ts";
import { securityWebhook } from "./security-webhook.ts";

const [path = "", url = "", secret = "", ahead = ""] = process.argv.slice(2);
const clock = { now: () => Date.now() + Number(ahead) };
const engine = createSessionEngine({
  store: openSqliteStore({ path }),
  secrets: ["a secret of this test that is long enough"],
  issuer: "https://pay.example.com",
  clock,
  onSecurityEvent: securityWebhook({ url: new URL(url), secrets: [secret], clock }),
});
await engine.start();
if (Number(ahead) === 0) {
  const challenge = { id: "challenge", expiresAt: clock.now() + 300_000 };
  const client = { browser: null, os: null, device: null, ip: null };
  const { session } = await engine.signIn({ actorId: "GABC", challenge }, { transport: "body", client });
  await engine.revokeSession(session.actorId, session.id);
}
setInterval(() => {}, 1_000);
