/** What one holder of a session has. The suite sends it back as it is, and compares `refresh` to tell two chains apart. */
export interface Tokens {
  readonly refresh: string;
  /** Null where the server has no access tokens. */
  readonly access: string | null;
  /** Whatever else the adapter needs: a cookie jar, a key, a nonce. */
  readonly more?: unknown;
}

/**
 * How a refresh was answered. `refused`: the server said no, and a client would ask for a new sign-in. `unavailable`: it did
 * not say no (a 5xx, a 429, a cut connection), and a client would try again. `answer` is for the report: "401 invalid_grant".
 */
export type RefreshAnswer =
  | {
      readonly kind: "renewed";
      readonly tokens: Tokens;
      readonly answer: string;
      /** Sends the very same request once more, where a new one would differ from it, as with a signed proof. */
      readonly again?: () => Promise<RefreshAnswer>;
    }
  | { readonly kind: "refused" | "unavailable"; readonly answer: string };

export interface Use {
  readonly kind: "accepted" | "refused" | "unavailable";
  readonly answer: string;
}

/**
 * What the server promises, in its own documents and with the settings it runs with. A scenario about something that is not
 * claimed is played all the same, where it can be, but it fails nobody.
 */
export interface Claims {
  /** A refresh token is good for one refresh, retries by its holder apart: a chain never forks. */
  readonly singleUse?: boolean;
  /**
   * A retry by the holder after a lost answer is safe for so long. It is known by its retry key, by the token alone (a leeway
   * or overlap, in which a thief is not told apart either), or by a proof that only the holder can make.
   */
  readonly retry?: { readonly by: "key" | "token" | "proof"; readonly withinMs: number };
  /** Tabs that share the tokens, and refresh at the same moment, all stay signed in. */
  readonly tabs?: boolean;
  /** A copy of the tokens in other hands: its use ends the session, or it is worth nothing and the owner goes on. */
  readonly theft?: "ends-session" | "copy-is-useless";
  /** After an acknowledged revocation no refresh succeeds. */
  readonly revocation?: boolean;
  /** Access tokens of a revoked session are refused after so long. */
  readonly accessRevokedWithinMs?: number;
  /** Sessions, revocations and spent tokens are kept through a restart. */
  readonly durable?: boolean;
  /** A session that is not refreshed for so long is over. */
  readonly idleExpiryMs?: number;
  /** A session takes no more room, however often it is refreshed. */
  readonly bounded?: boolean;
  /** A store that fails signs nobody out. */
  readonly faults?: boolean;
}

/** The server under test, as the suite meets it. */
export interface Adapter {
  /** Name, version and the settings that matter. */
  readonly server: string;
  readonly claims: Claims;
  /** A new session of any user. */
  signIn(): Promise<Tokens>;
  /** Without `retryKey` the request has none. A server that knows no such keys ignores it. Never rejects. */
  refresh(tokens: Tokens, retryKey?: string): Promise<RefreshAnswer>;
  /** A request to a guarded route. Never rejects. */
  tryAccess(tokens: Tokens): Promise<Use>;
  /** Ends the session, and says whether the server acknowledged it. Left out where the server has no such thing. */
  revoke?(tokens: Tokens): Promise<boolean>;
  /** Waits, or moves the server's clock. */
  wait(milliseconds: number): Promise<void>;

  /** What of the tokens a thief can copy; all of them by default. A key that cannot be exported stays behind. */
  stolenCopy?(tokens: Tokens): Tokens;
  /** Ends the server without a warning and starts it again on the same data. */
  restart?(): Promise<void>;
  /** Takes the store away; the result brings it back. */
  breakStore?(): Promise<() => Promise<void>>;
  /** Rows, keys or documents that the server has stored. */
  storedRows?(): Promise<number>;
  close?(): Promise<void>;
}

export type OptionalStep = "revoke" | "restart" | "breakStore" | "storedRows";

/** What an adapter's file exports by default. */
export type CreateAdapter = (server: { readonly url: string }) => Adapter | Promise<Adapter>;
