-- Clients, people and live refresh tokens in the form in which provider and adapter write them themselves, each with
-- its grant. `bench.clients`, `bench.users` and `bench.grants` say how many; the caller computes the same secrets.
INSERT INTO clients
SELECT 'client-' || n, json_build_object(
    'client_id', 'client-' || n,
    'client_secret', encode(sha256(convert_to('secret ' || n, 'UTF8')), 'hex'),
    'redirect_uris', json_build_array('https://app.example/callback'),
    'grant_types', json_build_array('authorization_code', 'refresh_token', 'client_credentials'),
    'scope', 'openid profile email read')
FROM generate_series(0, current_setting('bench.clients')::bigint - 1) AS n;

INSERT INTO accounts
SELECT 'user-' || n, 'Person ' || n, 'user-' || n || '@example.com'
FROM generate_series(0, current_setting('bench.users')::bigint - 1) AS n;

CREATE TEMPORARY TABLE seeds AS
SELECT
    'grant-' || n AS grant_id,
    translate(rtrim(encode(sha256(convert_to('refresh ' || n, 'UTF8')), 'base64'), '='), '+/', '-_') AS token,
    'client-' || n % current_setting('bench.clients')::bigint AS client,
    'user-' || n % current_setting('bench.users')::bigint AS account,
    extract(epoch FROM now())::bigint AS issued,
    extract(epoch FROM now() + interval '30 days')::bigint AS expires
FROM generate_series(0, current_setting('bench.grants')::bigint - 1) AS n;

INSERT INTO grants (id, payload, expires_at)
SELECT grant_id, json_build_object(
    'iat', issued, 'exp', expires, 'accountId', account, 'clientId', client, 'kind', 'Grant', 'jti', grant_id,
    'openid', json_build_object('scope', 'openid profile email read'),
    'resources', json_build_object(
        'https://api.example/', 'openid profile email read',
        'https://asking-api.example/', 'openid profile email read')
), to_timestamp(expires)
FROM seeds;

INSERT INTO refresh_tokens (id, payload, grant_id, expires_at)
SELECT token, json_build_object(
    'iat', issued, 'exp', expires, 'accountId', account, 'authTime', issued, 'grantId', grant_id,
    'gty', 'authorization_code', 'nonce', 'n',
    'resource', json_build_array('https://api.example/', 'https://asking-api.example/'),
    'rotations', 0, 'scope', 'openid profile email read',
    'kind', 'RefreshToken', 'jti', token, 'clientId', client, 'iiat', issued
), grant_id, to_timestamp(expires)
FROM seeds;

ANALYZE;
