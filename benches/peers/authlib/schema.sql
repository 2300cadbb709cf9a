-- What models.py describes.
CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL);

CREATE TABLE clients (
    id integer PRIMARY KEY,
    client_id varchar(48),
    client_secret varchar(120),
    client_id_issued_at integer NOT NULL DEFAULT 0,
    client_secret_expires_at integer NOT NULL DEFAULT 0,
    client_metadata text
);
CREATE INDEX ON clients (client_id);

CREATE TABLE authorization_codes (
    id bigserial PRIMARY KEY,
    code varchar(120) NOT NULL UNIQUE,
    client_id varchar(48),
    redirect_uri text,
    response_type text,
    scope text,
    nonce text,
    auth_time integer NOT NULL,
    acr text,
    amr text,
    code_challenge text,
    code_challenge_method varchar(48),
    user_id integer NOT NULL
);

CREATE TABLE refresh_tokens (
    id bigserial PRIMARY KEY,
    refresh_token varchar(48) NOT NULL UNIQUE,
    client_id varchar(48) NOT NULL,
    user_id integer NOT NULL,
    scope text NOT NULL,
    issued_at integer NOT NULL,
    revoked_at integer NOT NULL
);
