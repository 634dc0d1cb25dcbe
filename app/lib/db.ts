// The store that `DATABASE_URL` names: the sessions, keyed by actor id, and the log of revocations that every process
// follows. A store of the app's own would be opened here.
export { openStore } from "wallet-session/server";
