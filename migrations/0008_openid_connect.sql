-- OpenID Connect, sessions and registration by clients themselves. The previous release goes on serving: every column
-- that it does not fill has a default that means what it does.

SET LOCAL lock_timeout = '2s';

-- Whether anybody has given a client access. The one step that takes long where there are many people, and so before any
-- that keeps others from reading: meanwhile only new consents wait.
CREATE INDEX consents_by_client ON consents (client_id);

ALTER TABLE clients
    -- What the consent page shows of the app beside its name (RFC 7591 §2).
    ADD COLUMN client_uri text,
    ADD COLUMN logo_uri text,
    ADD COLUMN policy_uri text,
    ADD COLUMN tos_uri text,
    ADD COLUMN contacts text[] NOT NULL DEFAULT '{}',
    ADD COLUMN software_id text,
    ADD COLUMN software_version text,
    -- The host that pairwise subjects are computed for (OpenID Connect Core §8.1); NULL: the subject is public.
    ADD COLUMN sector_identifier text,
    ADD COLUMN sector_identifier_uri text,
    -- NULL: UserInfo answers are JSON.
    ADD COLUMN userinfo_signed_response_alg text,
    -- Seconds; NULL: whatever the request says.
    ADD COLUMN default_max_age integer CHECK (default_max_age >= 0),
    ADD COLUMN require_auth_time boolean NOT NULL DEFAULT false,
    ADD COLUMN post_logout_redirect_uris text[] NOT NULL DEFAULT '{}',
    ADD COLUMN backchannel_logout_uri text,
    ADD COLUMN backchannel_logout_session_required boolean NOT NULL DEFAULT false,
    -- Whether the end of a session ends also the grants with offline_access that were begun in it.
    ADD COLUMN end_offline_grants_with_session boolean NOT NULL DEFAULT false,
    -- A first-party client: nobody is asked.
    ADD COLUMN skip_consent boolean NOT NULL DEFAULT false,
    -- Whether the client registered itself, so that nobody has looked at what it says of itself (RFC 7591).
    ADD COLUMN self_registered boolean NOT NULL DEFAULT false,
    -- SHA-256 of its registration access token (RFC 7592).
    ADD COLUMN registration_token_hash bytea,
    -- That of the one before, which is good until the newer one has been used.
    ADD COLUMN previous_registration_token_hash bytea,
    -- Since when nobody has given a client that registered itself access; NULL: somebody has, or it does not expire.
    ADD COLUMN unused_since timestamptz;
CREATE INDEX clients_self_registered ON clients (unused_since) WHERE self_registered;

-- Initial access tokens (RFC 7591 §3): who has one may register clients.
CREATE TABLE initial_access_tokens (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    name text NOT NULL,
    -- NULL: any number.
    uses_left integer CHECK (uses_left >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX initial_access_tokens_by_expiry ON initial_access_tokens (expires_at);

ALTER TABLE sessions
    -- The cookie before the last sign-in in it: of a form that was sent twice, the second copy goes on in it as well.
    ADD COLUMN previous_token_hash bytea;

ALTER TABLE users
    ADD COLUMN email_verified boolean NOT NULL DEFAULT false,
    -- What is known of the person beyond name and address, by names of claims.
    ADD COLUMN claims jsonb NOT NULL DEFAULT '{}';

-- What apps may learn of a person, in one value that is read only where it is needed.
CREATE VIEW attributes_of_users AS
SELECT id AS user_id,
    jsonb_build_object('username', username, 'email', email, 'email_verified', email_verified, 'claims', claims,
        'updated_at', floor(extract(epoch FROM updated_at))::bigint) AS attributes
FROM users;

-- Claims that an operator adds to the standard ones, each released by one scope.
CREATE TABLE claims (
    name text PRIMARY KEY,
    scope text NOT NULL REFERENCES scopes (name) ON DELETE CASCADE,
    description text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE consents
    -- Claims that were asked for by name and are released by none of the scopes.
    ADD COLUMN claims text[] NOT NULL DEFAULT '{}';

INSERT INTO scopes (name, description, built_in) VALUES
    ('phone', 'See your phone number', true),
    ('address', 'See your postal address', true)
ON CONFLICT (name) DO UPDATE SET built_in = true;

ALTER TABLE consents
    -- Of the scopes, those that the person was not asked for: a first-party client has them by the operator's word alone.
    ADD COLUMN unasked_scopes text[] NOT NULL DEFAULT '{}';

ALTER TABLE grants
    -- The session in which the person approved, also where the grant outlives it.
    ADD COLUMN started_in uuid,
    -- The claims parameter of the authorization request (OpenID Connect Core §5.5).
    ADD COLUMN claims jsonb;

-- Random values of the installation as a whole, encrypted under a master key.
CREATE TABLE installation_secrets (
    name text PRIMARY KEY,
    wrapped_secret bytea NOT NULL,
    master_key_id bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Back-channel logout: one row for each client that has to be told that a session has ended. Written in the statement
-- or transaction that ends the session, claimed by whoever sends it. No foreign keys: the end of a session waits for nobody, and
-- person and session may be gone before the message is delivered.
CREATE TABLE logout_deliveries (
    -- The logout token's jti.
    id uuid PRIMARY KEY,
    client_id text NOT NULL,
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 0,
    -- When it is sent, or sent again; NULL: it was delivered or given up.
    next_attempt_at timestamptz DEFAULT clock_timestamp(),
    delivered_at timestamptz,
    -- Why the last attempt failed, for operators.
    last_error text
);
CREATE INDEX logout_deliveries_to_send ON logout_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX logout_deliveries_by_time ON logout_deliveries (created_at);
CREATE INDEX logout_deliveries_by_client ON logout_deliveries (client_id);
