-- A look at a grant reads the consent only of those people who have taken one back. The previous release goes on: what it
-- deletes sets off the trigger too.

SET LOCAL lock_timeout = '2s';

-- Whether a consent of this person was deleted while its client stayed. Of those who are here already nobody knows.
ALTER TABLE users ADD COLUMN has_withdrawn boolean NOT NULL DEFAULT true;
ALTER TABLE users ALTER COLUMN has_withdrawn SET DEFAULT false;

-- With their client or their person consents go too, and no grant needs them to be dead: identifiers never come again.
CREATE FUNCTION consents_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET has_withdrawn = true
    FROM withdrawn
    JOIN clients ON clients.client_id = withdrawn.client_id
    WHERE users.id = withdrawn.user_id AND NOT users.has_withdrawn;
    RETURN NULL;
END $$;
CREATE TRIGGER consents_withdrawn AFTER DELETE ON consents
REFERENCING OLD TABLE AS withdrawn FOR EACH STATEMENT EXECUTE FUNCTION consents_withdrawn();

CREATE FUNCTION all_consents_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET has_withdrawn = true WHERE NOT has_withdrawn;
    RETURN NULL;
END $$;
CREATE TRIGGER all_consents_withdrawn AFTER TRUNCATE ON consents
FOR EACH STATEMENT EXECUTE FUNCTION all_consents_withdrawn();

-- As before, but that the consent is looked for by itself, and seldom; and with what apps may learn of the person, in one
-- value that is made only where it is read. (The previous release looks the person up once more, in
-- `attributes_of_users`.)
CREATE OR REPLACE VIEW grant_lives AS
SELECT g.*,
    CASE
        WHEN g.revoked_at IS NULL
            AND u.disabled_at IS NULL AND g.created_at >= u.grants_valid_from
            AND c.disabled_at IS NULL AND g.scopes <@ c.scopes
            AND (g.session_id IS NULL OR (s.id IS NOT NULL AND s.ended_at IS NULL))
            AND (NOT u.has_withdrawn OR EXISTS (
                SELECT FROM consents k
                WHERE k.user_id = g.user_id AND k.client_id = g.client_id AND g.created_at >= k.created_at))
        THEN least(g.expires_at, s.expires_at, s.idle_expires_at)
    END AS ends_at,
    c.audiences AS client_audiences,
    CASE WHEN u.id IS NOT NULL THEN json_build_object('username', u.username, 'email', u.email,
        'email_verified', u.email_verified, 'claims', u.claims,
        'updated_at', floor(date_part('epoch', u.updated_at))::bigint) END AS attributes
FROM grants g
LEFT JOIN users u ON u.id = g.user_id
LEFT JOIN clients c ON c.client_id = g.client_id
LEFT JOIN sessions s ON s.id = g.session_id;
