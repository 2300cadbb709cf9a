-- Networks from which somebody has signed in to an account, so that guessing from everywhere else does not keep the
-- person waiting there. `key` is a keyed hash of the account's name and the network.

SET LOCAL lock_timeout = '2s';

CREATE TABLE known_networks (
    key bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX known_networks_by_expiry ON known_networks (expires_at);
