-- Client assertions that were used, so that none counts twice (RFC 7523 §3).

SET LOCAL lock_timeout = '2s';

CREATE TABLE used_client_assertions (
    -- SHA-256 of the client's identifier and the assertion's.
    hash bytea PRIMARY KEY,
    -- From then on no process accepts it by its times either.
    expires_at timestamptz NOT NULL
);
CREATE INDEX used_client_assertions_by_expiry ON used_client_assertions (expires_at);
