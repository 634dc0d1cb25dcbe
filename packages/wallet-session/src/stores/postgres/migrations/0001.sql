BEGIN;

CREATE SCHEMA IF NOT EXISTS "wallet_session";

CREATE TABLE "wallet_session".schema_version (version bigint NOT NULL);
INSERT INTO "wallet_session".schema_version VALUES (0);

CREATE TABLE "wallet_session".sessions (
  id bytea PRIMARY KEY CHECK (octet_length(id) = 16),
  actor_id text NOT NULL,
  transport text NOT NULL CHECK (transport IN ('body', 'cookie')),
  generation bigint NOT NULL,
  secret_hash bytea NOT NULL,
  salt bytea NOT NULL,
  retry_key_hash bytea,
  created_at bigint NOT NULL,
  rotated_at bigint NOT NULL,
  idle_expires_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  examine_at bigint NOT NULL,
  revoked_at bigint,
  revoked_reason text,
  binding text,
  client text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX sessions_by_actor ON "wallet_session".sessions (actor_id, created_at) WHERE revoked_at IS NULL;
CREATE INDEX sessions_by_examine_at ON "wallet_session".sessions (examine_at);
CREATE INDEX sessions_ended_by_reuse ON "wallet_session".sessions (actor_id, revoked_at) WHERE revoked_reason = 'reuse';

CREATE TABLE "wallet_session".consumed_challenges (
  id text PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX consumed_challenges_by_expires_at ON "wallet_session".consumed_challenges (expires_at);

CREATE TABLE "wallet_session".revocations (
  position bigint PRIMARY KEY,
  session_id bytea NOT NULL,
  revoked_at bigint NOT NULL
);
CREATE INDEX revocations_by_revoked_at ON "wallet_session".revocations (revoked_at);

CREATE TABLE "wallet_session".revocation_counter (
  only_row boolean PRIMARY KEY CHECK (only_row),
  last_position bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO "wallet_session".revocation_counter VALUES (true, 0);

CREATE TABLE "wallet_session".signing_keys (
  position bigint PRIMARY KEY,
  kid text NOT NULL UNIQUE,
  public_key bytea NOT NULL,
  sealed bytea NOT NULL,
  created_at bigint NOT NULL,
  signs_from bigint NOT NULL
);

UPDATE "wallet_session".schema_version SET version = 1;

COMMIT;
