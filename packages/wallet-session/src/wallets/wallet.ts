import type { SessionError } from "../errors.ts";
import type { ConsumedChallenge } from "../store.ts";

/** The texts that a request gives by name; undefined for one that is absent or empty. */
export type WalletParameters = Readonly<Record<string, string | undefined>>;

/**
 * One way to sign in, as `createHandlers` takes it: builds a challenge, verifies its answer, names the actor. It knows
 * nothing of HTTP, and holds no state: that a challenge counts once is the store's business
 * ({@link ConsumedChallenge}).
 *
 * Both methods reject with {@link SessionError}: `invalid_request` for parameters that cannot be served, `challenge_invalid`,
 * `challenge_expired` and `signature_invalid` for answers that are refused, `horizon_unavailable` where a fault prevented a
 * decision. Everything else that they throw is a fault, and answered with 500.
 */
export interface WalletMethod {
  /** The names that the methods take. Others are ignored; one of these that comes twice is refused before. */
  readonly takes: {
    /** Parameters of the query. */
    readonly challenge: readonly string[];
    /** Members of the body, in text. */
    readonly answer: readonly string[];
  };

  /** Resolves with the challenge, whose members are the JSON of the answer. */
  challenge(request: WalletParameters): Promise<object>;

  /**
   * Whether this challenge makes the server ask another one, so that fewer of them are allowed.
   * @default false for every request
   */
  asksElsewhere?(request: WalletParameters): boolean;

  verify(answer: WalletParameters): Promise<VerifiedActor>;

  /** Texts that the wallet publishes under `/.well-known/`, by file name. Served today: `stellar.toml`. @default none */
  readonly wellKnown?: Readonly<Record<string, string>>;
}

export interface VerifiedActor {
  /** The JWT `sub` of the session to come. */
  readonly actorId: string;
  /** Consumed in the same atomic step that creates the session. */
  readonly challenge: ConsumedChallenge;
  /**
   * The hash of the one action that was signed, as the parameter `action` of the challenge named it. Such an answer signs nobody in.
   * @default null, a sign-in
   */
  readonly action?: string | null;
}
