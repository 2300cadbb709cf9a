-- The whole of Grantor's schema. Times are the database's unless a comment says otherwise.

-- One row: what is true of the installation as a whole. `version` grows with every change of clients,
-- scopes, roles or keys; each process polls it and drops what it has cached.
CREATE TABLE installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version bigint NOT NULL DEFAULT 1,
    demo_seeded_at timestamptz
);
INSERT INTO installation DEFAULT VALUES;

-- The master keys that have written here, so that a process with another key is refused at start.
-- `source` names where the key came from (a file's path or a variable's name), never the key.
CREATE TABLE master_keys (
    id bytea PRIMARY KEY,
    check_value bytea NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    alg text NOT NULL,
    public_jwk jsonb NOT NULL,
    wrapped_private_key bytea NOT NULL,
    master_key_id bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    activates_at timestamptz NOT NULL,
    retired_at timestamptz
);

CREATE TABLE scopes (
    name text PRIMARY KEY,
    description text NOT NULL,
    restricted boolean NOT NULL DEFAULT false,
    built_in boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO scopes (name, description, built_in) VALUES
    ('openid', 'Know who you are', true),
    ('profile', 'See your name and profile', true),
    ('email', 'See your e-mail address', true),
    ('offline_access', 'Keep this access while you are away', true),
    ('roles', 'See which roles you hold', true);

CREATE TABLE roles (
    name text PRIMARY KEY,
    scopes text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE clients (
    client_id text PRIMARY KEY,
    name text NOT NULL,
    confidential boolean NOT NULL,
    application_type text NOT NULL CHECK (application_type IN ('web', 'native')),
    -- NULL: a secret is accepted by Basic or by post.
    auth_method text CHECK (auth_method IN ('client_secret_basic', 'client_secret_post', 'none')),
    secret_hash bytea,
    secret_key_id bytea,
    redirect_uris text[] NOT NULL DEFAULT '{}',
    grant_types text[] NOT NULL,
    scopes text[] NOT NULL DEFAULT '{}',
    audiences text[] NOT NULL DEFAULT '{}',
    resource_servers text[] NOT NULL DEFAULT '{}',
    -- Seconds; NULL: the configured default.
    access_token_lifetime integer CHECK (access_token_lifetime > 0),
    refresh_idle_lifetime integer CHECK (refresh_idle_lifetime > 0),
    refresh_absolute_lifetime integer CHECK (refresh_absolute_lifetime > 0),
    rotate_refresh_tokens boolean NOT NULL DEFAULT true,
    require_pkce boolean NOT NULL DEFAULT true,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (confidential = (secret_hash IS NOT NULL)),
    CHECK (confidential OR (rotate_refresh_tokens AND require_pkce))
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    username text NOT NULL,
    username_folded text NOT NULL UNIQUE,
    email text NOT NULL,
    email_folded text NOT NULL UNIQUE,
    -- A PHC string; NULL until the person has set a password.
    password_hash text,
    -- Grants made before this instant are dead (a password change, a disabled account).
    grants_valid_from timestamptz NOT NULL DEFAULT '-infinity',
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_name text NOT NULL REFERENCES roles (name) ON DELETE CASCADE,
    PRIMARY KEY (user_id, role_name)
);

CREATE TABLE set_password_links (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    -- SHA-256 of the cookie's value.
    token_hash bytea NOT NULL UNIQUE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_time timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    address text,
    user_agent text
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE consents (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id text NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    scopes text[] NOT NULL,
    -- Grants made before this instant are dead: taking consent back deletes the row.
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

-- A grant: one person's approval of one client, and its refresh token family in the same row.
-- The id begins with the day of `expires_at`, so that partitions are pruned from a token alone and
-- expiry drops a partition. No foreign keys: a grant whose user, client or session is gone is dead
-- because every statement that reads it joins them.
CREATE TABLE grants (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    client_id text NOT NULL,
    -- The session whose end ends the grant; NULL with offline_access.
    session_id uuid,
    requested_scopes text[] NOT NULL,
    scopes text[] NOT NULL,
    resources text[] NOT NULL,
    auth_time timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_reason text,
    -- The refresh family: generation g and SHA-256 of its secret s_g. NULL hash: no refresh token.
    generation integer NOT NULL DEFAULT 0,
    refresh_hash bytea,
    refresh_key_id bytea,
    refreshed_at timestamptz,
    idle_expires_at timestamptz
) PARTITION BY RANGE (id);
CREATE INDEX grants_by_user ON grants (user_id, client_id);

-- The one definition of a living grant. It ends at `ends_at`, to be compared with the later of the
-- request's time and the database's clock. An ended session, a disabled or deleted user, a deleted client, a
-- changed password and consent taken back each end it for good; a client that is switched off, or that lacks
-- one of its scopes, suspends it.
CREATE VIEW live_grants AS
SELECT g.*,
    least(g.expires_at, s.expires_at, s.idle_expires_at) AS ends_at,
    c.audiences AS client_audiences
FROM grants g
JOIN users u ON u.id = g.user_id AND u.disabled_at IS NULL AND g.created_at >= u.grants_valid_from
JOIN clients c ON c.client_id = g.client_id AND c.disabled_at IS NULL AND g.scopes <@ c.scopes
JOIN consents k ON k.user_id = g.user_id AND k.client_id = g.client_id AND g.created_at >= k.created_at
LEFT JOIN sessions s ON s.id = g.session_id
WHERE g.revoked_at IS NULL
    AND (g.session_id IS NULL OR (s.id IS NOT NULL AND s.ended_at IS NULL));

-- Today's roles of a person, each with the restricted scopes that it carries.
CREATE VIEW roles_of_users AS
SELECT ur.user_id, jsonb_agg(jsonb_build_object('name', r.name, 'scopes', r.scopes) ORDER BY r.name) AS roles
FROM user_roles ur
JOIN roles r ON r.name = ur.role_name
GROUP BY ur.user_id;

-- The id begins with the day of `expires_at`, as for grants.
CREATE TABLE authorization_codes (
    id uuid PRIMARY KEY,
    code_hash bytea NOT NULL,
    grant_id uuid NOT NULL,
    redirect_uri text NOT NULL,
    -- NULL only for a confidential client that is let off PKCE.
    code_challenge text,
    nonce text,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
) PARTITION BY RANGE (id);

CREATE TABLE revoked_access_tokens (
    jti text PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_access_tokens_by_expiry ON revoked_access_tokens (expires_at);

-- `key` is a keyed hash of an address, or of an account's name and an address. `attempts` leaks away with time,
-- so that it has fractions.
CREATE TABLE sign_in_throttle (
    key bytea PRIMARY KEY,
    attempts double precision NOT NULL,
    last_attempt_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL
);
CREATE INDEX sign_in_throttle_by_time ON sign_in_throttle (last_attempt_at);

-- Who runs a periodic job, until when.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
