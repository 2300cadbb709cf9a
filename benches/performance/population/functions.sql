-- What follows from a number, for PostgreSQL; `numbers.rs` computes the same for the load generator.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE OR REPLACE FUNCTION bench.hash(what text, n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(('bench ' || what || ' ' || n::text)::bytea);

-- A version 8 UUID (RFC 9562 §5.8).
CREATE OR REPLACE FUNCTION bench.id(what text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN overlay(overlay(encode(substr(sha256(('bench ' || what || ' ' || n::text)::bytea), 1, 16), 'hex')
    PLACING '8' FROM 13 FOR 1) PLACING '8' FROM 17 FOR 1)::uuid;

-- The same with a day at the beginning, as the ids of grants and codes have it.
CREATE OR REPLACE FUNCTION bench.dated_id(what text, n bigint, day integer) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN overlay(overlay(overlay(
    encode(substr(sha256(('bench ' || what || ' ' || n::text)::bytea), 1, 16), 'hex')
    PLACING '8' FROM 13 FOR 1) PLACING '8' FROM 17 FOR 1) PLACING lpad(to_hex(day), 4, '0') FROM 1 FOR 4)::uuid;

-- Base64url without padding (RFC 7515 §2).
CREATE OR REPLACE FUNCTION bench.base64url(bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN rtrim(translate(encode(bytes, 'base64'), '+/', '-_'), '=');

CREATE OR REPLACE FUNCTION bench.midnight(day integer) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_timestamp(day * 86400.0::float8);

-- How far the population has come, and what of it was used up.
CREATE TABLE IF NOT EXISTS bench.population (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    users bigint NOT NULL,
    clients bigint NOT NULL,
    -- The day on which it was begun.
    first_day integer NOT NULL DEFAULT floor(extract(epoch FROM now()) / 86400),
    grants bigint NOT NULL DEFAULT 0,
    -- Whether rows are being added: one that was broken off is of no use.
    is_growing boolean NOT NULL DEFAULT false,
    codes_made bigint NOT NULL DEFAULT 0,
    -- The load generator's grants begin here: those before were there before the last growth, and may be used up.
    load_from bigint NOT NULL DEFAULT 0,
    grants_given bigint NOT NULL DEFAULT 0,
    approvals_given bigint NOT NULL DEFAULT 0
);
