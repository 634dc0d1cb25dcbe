BEGIN;

ALTER TABLE "wallet_session".schema_version ADD COLUMN works_with bigint NOT NULL DEFAULT 1;

CREATE INDEX sessions_not_revoked ON "wallet_session".sessions (expires_at, id) WHERE revoked_at IS NULL;

CREATE TABLE "wallet_session".security_events (
  position bigint PRIMARY KEY,
  session_id bytea NOT NULL,
  actor_id text NOT NULL,
  reason text NOT NULL,
  revoked_at bigint NOT NULL
);
CREATE INDEX security_events_by_revoked_at ON "wallet_session".security_events (revoked_at);

CREATE TABLE "wallet_session".security_event_lease (
  only_row boolean PRIMARY KEY CHECK (only_row),
  owner text,
  until bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO "wallet_session".security_event_lease VALUES (true, NULL, 0);

UPDATE "wallet_session".schema_version SET version = 2, works_with = 1;

COMMIT;
