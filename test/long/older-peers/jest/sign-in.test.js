const { SessionError } = require("wallet-session");
const { createSessions } = require("wallet-session/server");
const { createWalletKeypair, signInAs } = require("wallet-session/testing");

const ORIGIN = "http://localhost:3000";

// No secret is set: they are made, and kept in data/.
describe.each(["memory:", "sqlite:data/sessions.db"])("%s", (DATABASE_URL) => {
  let sessions;
  beforeEach(() => {
    sessions = createSessions({ env: { DATABASE_URL, LOG_LEVEL: "silent" } });
  });
  afterEach(() => sessions.close());

  const accountOf = async (headers) =>
    (await sessions.handlers.guard(new Request(`${ORIGIN}/boats`, { headers }))).actorId;

  test.each(["body", "cookie"])("signs in as anybody, by %s", async (transport) => {
    const { account } = createWalletKeypair();
    const { headers } = await signInAs(sessions, account, { transport });
    expect(await accountOf(headers)).toBe(account);
  });

  test("signs in with a key, and knows its own errors", async () => {
    const { account, sign } = createWalletKeypair();
    const challenge = await sessions.fetch(new Request(`${ORIGIN}/api/auth/wallet?account=${account}`));
    const body = JSON.stringify({ transaction: sign(await challenge.json()) });
    const headers = { "Content-Type": "application/json" };
    const tokens = await sessions.fetch(
      new Request(`${ORIGIN}/api/auth/wallet`, { method: "POST", headers, body }),
    );
    const { access_token: token } = await tokens.json();
    expect(await accountOf({ Authorization: `Bearer ${token}` })).toBe(account);
    await expect(sessions.engine.authenticate("nonsense")).rejects.toBeInstanceOf(SessionError);
  });
});
