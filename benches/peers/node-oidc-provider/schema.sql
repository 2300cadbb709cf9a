-- What the adapter stores, a table per model, and the people.
CREATE TABLE accounts (id text PRIMARY KEY, name text NOT NULL, email text NOT NULL);
CREATE TABLE clients (id text PRIMARY KEY, metadata json NOT NULL);

CREATE TABLE access_tokens (
    id text PRIMARY KEY, payload json NOT NULL, grant_id text, uid text, expires_at timestamptz, consumed_at timestamptz
);
CREATE TABLE authorization_codes (LIKE access_tokens INCLUDING ALL);
CREATE TABLE client_credentials (LIKE access_tokens INCLUDING ALL);
CREATE TABLE grants (LIKE access_tokens INCLUDING ALL);
CREATE TABLE interactions (LIKE access_tokens INCLUDING ALL);
CREATE TABLE pushed_authorization_requests (LIKE access_tokens INCLUDING ALL);
CREATE TABLE refresh_tokens (LIKE access_tokens INCLUDING ALL);
CREATE TABLE replay_detection (LIKE access_tokens INCLUDING ALL);
CREATE TABLE sessions (LIKE access_tokens INCLUDING ALL);

-- A whole grant is revoked at once.
CREATE INDEX ON access_tokens (grant_id);
CREATE INDEX ON authorization_codes (grant_id);
CREATE INDEX ON refresh_tokens (grant_id);
CREATE INDEX ON sessions (uid);
