/** Why a lease has ended: the codes that a request would get at the same moment. */
export type LeaseEndCode =
  | "session_revoked"
  | "refresh_token_reused"
  /** The session is past its idle or absolute limit. */
  | "refresh_token_expired"
  /** Nobody renewed the session in time. It may live on: renew it and watch it again. */
  | "access_token_expired";

/** What a lease tells. Seconds are whole ones, rounded down, until the lease ends unless renewed. */
export type LeaseEvent =
  /** Once for each end that comes near: somebody has to renew the session. */
  | { readonly type: "expiring"; readonly expiresInSeconds: number }
  /** The session was renewed, warned or not; an earlier warning is void. */
  | { readonly type: "renewed"; readonly expiresInSeconds: number }
  /**
   * Once: the access token that the lease was taken with, and its grace, are over, and the session was renewed. What only
   * the holder of a token may have ends here: it may have been stolen, and the renewal the owner's. The lease goes on.
   */
  | { readonly type: "outlived" }
  /** The last event, exactly once. */
  | { readonly type: "ended"; readonly code: LeaseEndCode };

export type LeaseListener = (event: LeaseEvent) => void;
