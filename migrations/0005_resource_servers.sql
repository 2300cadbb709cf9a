-- Resource servers: the APIs that tokens are for (RFC 8707), with the scopes that they understand. Which clients get
-- tokens for one, and which may introspect for it, stays in `clients.audiences` and `clients.resource_servers`. The
-- previous release goes on writing those without this table: an identifier without a row here is one that says nothing
-- about its scopes.

SET LOCAL lock_timeout = '2s';

CREATE TABLE resource_servers (
    -- An absolute URI, compared as a string.
    identifier text PRIMARY KEY,
    name text NOT NULL,
    -- NULL: it does not say which, and a token for it is not narrowed. Empty: none.
    scopes text[],
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO resource_servers (identifier, name)
SELECT DISTINCT named.identifier, named.identifier
FROM clients, unnest(clients.audiences || clients.resource_servers) AS named (identifier);
