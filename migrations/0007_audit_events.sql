-- The audit log: who did what to what, when, from where. Written in the statement or transaction of what it
-- records. The previous release goes on serving: it does not know the table.

SET LOCAL lock_timeout = '2s';

-- The id begins with the day of the event, as those of grants begin with the day of their end, so that a time
-- finds its partitions and retention drops them. No foreign keys: the log outlives what it speaks of.
CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    event text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('success', 'failure')),
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'client', 'operator', 'anonymous', 'system')),
    -- NULL: nobody in particular.
    actor_id text,
    target_kind text,
    target_id text,
    -- Whom and what the event concerns, to search by.
    user_id uuid,
    client_id text,
    grant_id uuid,
    -- NULL: not from the network.
    address inet,
    -- What this kind of event has beyond that; never anything secret.
    details jsonb
) PARTITION BY RANGE (id);
CREATE INDEX audit_events_by_user ON audit_events (user_id) WHERE user_id IS NOT NULL;

-- A version 8 UUID (RFC 9562 §5.8): two bytes of day since 1970, 44 bits with the microseconds since midnight
-- UTC, and random bits. Later events have greater ids. PL/pgSQL keeps its plans, where SQL would plan each call.
CREATE FUNCTION audit_event_id(at timestamptz) RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    micros bigint := extract(epoch FROM at) * 1000000;
    day bigint := micros / 86400000000;
    hex text := lpad(to_hex(day), 4, '0') || lpad(to_hex(micros - day * 86400000000), 11, '0');
    random text := substr(replace(gen_random_uuid()::text, '-', ''), 17);
BEGIN
    RETURN substr(hex, 1, 12) || '8' || substr(hex, 13) || random;
END
$$;

-- A row of the log from the names and values of its columns, with the database's time.
CREATE FUNCTION audit_event(fields jsonb) RETURNS audit_events LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    at timestamptz := clock_timestamp();
BEGIN
    RETURN jsonb_populate_record(
        NULL::audit_events, fields || jsonb_build_object('id', audit_event_id(at), 'occurred_at', at));
END
$$;
