-- Clients that authenticate with keys, algorithms chosen per client, and room for two secrets at a time. The previous
-- release goes on serving: it knows `secret_hash` alone, and that stays the newest secret.

SET LOCAL lock_timeout = '2s';

ALTER TABLE clients
    -- Public keys of the client (RFC 7517 §5), by value or by address.
    ADD COLUMN jwks jsonb,
    ADD COLUMN jwks_uri text,
    -- The only accepted algorithm of a client assertion.
    ADD COLUMN token_endpoint_auth_signing_alg text,
    -- NULL: RS256. What the client's tokens, and the introspection answers for it, are signed with.
    ADD COLUMN access_token_signing_alg text,
    ADD COLUMN id_token_signed_response_alg text,
    -- NULL: introspection answers are signed only where the request asks for it.
    ADD COLUMN introspection_signed_response_alg text,
    -- NULL: the secret does not expire.
    ADD COLUMN secret_expires_at timestamptz,
    -- The secret itself, encrypted, where the client signs its assertions with it.
    ADD COLUMN sealed_secret bytea,
    -- The secret before this one, which works until it expires.
    ADD COLUMN previous_secret_hash bytea,
    ADD COLUMN previous_secret_key_id bytea,
    ADD COLUMN previous_secret_expires_at timestamptz,
    ADD COLUMN previous_sealed_secret bytea,
    ADD CHECK (jwks IS NULL OR jwks_uri IS NULL);

ALTER TABLE clients DROP CONSTRAINT clients_auth_method_check;
ALTER TABLE clients ADD CONSTRAINT clients_auth_method_check CHECK (
    auth_method IN ('client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none')
) NOT VALID;
ALTER TABLE clients DROP CONSTRAINT clients_check;
-- `private_key_jwt` is the one confidential method without a secret.
ALTER TABLE clients ADD CONSTRAINT clients_secret_check CHECK (
    (secret_hash IS NOT NULL) = (confidential AND auth_method IS DISTINCT FROM 'private_key_jwt')
) NOT VALID;
