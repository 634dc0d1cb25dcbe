/**
 * Asked about an account whose signature is good, before it gets a session: the app looks it up, makes a row for it, or
 * refuses it by throwing `SignInRefused`. Accounts with a memo (`G…:memo`) or multiplexed ones (`M…`) come as they are.
 * Anything else that it throws is a fault: 500, or the status of a `ProblemError`. Either way there is no session, and no
 * challenge is used up. `request`: the sign-in, whose body has been read.
 *
 * May be asked again for one answer, when it comes twice: what it writes must bear that.
 * @example
 * ```ts
 * import { SignInRefused } from "wallet-session";
 * import { createSessions } from "wallet-session/server";
 *
 * const members = new Set(["GBRPYHIL2CI3FNQ4BXLFMNDLFJUNPU2HY3ZMFSHONUCEOASW7QC7OX2H"]);
 *
 * export const sessions = createSessions({
 *   async onSignIn({ actorId }) {
 *     if (!members.has(actorId)) throw new SignInRefused("not_a_member", "This account is not a member yet.");
 *   },
 * });
 * ```
 */
export type SignInHook = (actor: { readonly actorId: string }, request: Request) => void | Promise<void>;
