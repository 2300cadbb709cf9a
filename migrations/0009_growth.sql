-- The previous release goes on serving: no column changes.

SET LOCAL lock_timeout = '2s';

-- A session is changed by each approval in it. With room in its page none of its four indexes is written to.
ALTER TABLE sessions SET (fillfactor = 95);
