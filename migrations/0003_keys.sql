-- Signing keys of several algorithms that go through their lives without a hand, and master keys that can leave the
-- configuration. The previous release goes on serving: it fills neither column and needs neither.

SET LOCAL lock_timeout = '2s';

-- The longest lifetime, in seconds, that a token signed by this key may have had: so long the key stays published
-- after another has taken over, although the lifetime was lowered since. Zero: only what is configured now counts.
ALTER TABLE signing_keys
    ADD COLUMN longest_token_lifetime integer NOT NULL DEFAULT 0 CHECK (longest_token_lifetime >= 0);

-- A master key that is no longer written with, encrypted under another one, so that a process which lists that one
-- alone still reads what this one wrote.
ALTER TABLE master_keys
    ADD COLUMN wrapped_key bytea,
    ADD COLUMN wrapped_by bytea,
    ADD CHECK ((wrapped_key IS NULL) = (wrapped_by IS NULL));
