-- What a decision about a grant needs, looked up by keys alone and in one pass. The previous release goes on with
-- `live_grants`, which says the same as before.

SET LOCAL lock_timeout = '2s';

-- The one definition of a living grant. It ends at `ends_at`, to be compared with the later of the request's time and
-- the database's clock; NULL: it does not live. An ended session, a disabled or deleted user, a deleted client, a
-- changed password and consent taken back each end it for good; a client that is switched off, or that lacks one of
-- its scopes, suspends it.
CREATE VIEW grant_lives AS
SELECT g.*,
    CASE
        WHEN g.revoked_at IS NULL
            AND u.disabled_at IS NULL AND g.created_at >= u.grants_valid_from
            AND c.disabled_at IS NULL AND g.scopes <@ c.scopes
            AND g.created_at >= k.created_at
            AND (g.session_id IS NULL OR (s.id IS NOT NULL AND s.ended_at IS NULL))
        THEN least(g.expires_at, s.expires_at, s.idle_expires_at)
    END AS ends_at,
    c.audiences AS client_audiences
FROM grants g
LEFT JOIN users u ON u.id = g.user_id
LEFT JOIN clients c ON c.client_id = g.client_id
LEFT JOIN consents k ON k.user_id = g.user_id AND k.client_id = g.client_id
LEFT JOIN sessions s ON s.id = g.session_id;

-- A view keeps the columns that its table had when it was made: those that came later follow the others.
CREATE OR REPLACE VIEW live_grants AS
SELECT id, user_id, client_id, session_id, requested_scopes, scopes, resources, auth_time, created_at, expires_at,
    revoked_at, revoked_reason, generation, refresh_hash, refresh_key_id, refreshed_at, idle_expires_at,
    ends_at, client_audiences
FROM grant_lives
WHERE ends_at IS NOT NULL;
