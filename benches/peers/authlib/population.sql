-- Clients, people and live refresh tokens in the form in which Authlib's mixins and models.py write them themselves.
-- `bench.clients`, `bench.users` and `bench.grants` say how many; the caller computes the same secrets.
INSERT INTO clients (id, client_id, client_secret, client_metadata)
SELECT n, 'client-' || n, encode(sha256(convert_to('secret ' || n, 'UTF8')), 'hex'), json_build_object(
    'redirect_uris', json_build_array('https://app.example/callback'),
    'response_types', json_build_array('code'),
    'grant_types', json_build_array('authorization_code', 'refresh_token', 'client_credentials'),
    'token_endpoint_auth_method', 'client_secret_basic',
    'scope', 'openid profile email read')::text
FROM generate_series(0, current_setting('bench.clients')::bigint - 1) AS n;

INSERT INTO users
SELECT n, 'Person ' || n, 'user-' || n || '@example.com'
FROM generate_series(0, current_setting('bench.users')::bigint - 1) AS n;

INSERT INTO refresh_tokens (refresh_token, client_id, user_id, scope, issued_at, revoked_at)
SELECT
    translate(rtrim(encode(sha256(convert_to('refresh ' || n, 'UTF8')), 'base64'), '='), '+/', '-_'),
    'client-' || n % current_setting('bench.clients')::bigint,
    n % current_setting('bench.users')::bigint,
    'openid profile email read',
    extract(epoch FROM now())::integer,
    0
FROM generate_series(0, current_setting('bench.grants')::bigint - 1) AS n;

ANALYZE;
