//! Failed sign-ins, counted in the database so that all processes count together.

use std::time::Duration;

use super::{Store, StoreError, interval};
use crate::time::Timestamp;

/// One thing to count attempts for, and how patient to be with it.
#[derive(Debug, Clone, Copy)]
pub struct ThrottleRule {
    /// A hash of what is counted (an account seen from an address, an address).
    pub key: [u8; 32],
    /// Attempts before the first delay.
    pub free: u32,
    /// The delay after the last free attempt; it doubles with each further one.
    pub base: Duration,
    /// The longest delay.
    pub cap: Duration,
    /// One attempt is forgotten in each such time.
    pub leak: Duration,
}

/// An attempt that may not be made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// How long to wait.
    pub retry_after: Duration,
}

impl Store {
    /// Counts an attempt before it is made, so that parallel ones cannot outrun the count; refused
    /// attempts are not counted. What a crash of the database loses is the last second's counts, and nobody waits
    /// for a disk: a flood of sign-ins must not hold up other writes.
    pub async fn count_attempt(&self, rule: ThrottleRule) -> Result<Result<(), Throttled>, StoreError> {
        let row = sqlx::query!(
            r#"WITH clock AS (SELECT clock_timestamp() AS now, set_config('synchronous_commit', 'off', true))
               INSERT INTO sign_in_throttle AS t (key, attempts, last_attempt_at, blocked_until)
               SELECT $1, 1, now, '-infinity' FROM clock
               ON CONFLICT (key) DO UPDATE SET (attempts, last_attempt_at, blocked_until) = (
                   SELECT counted, greatest(t.last_attempt_at, excluded.last_attempt_at),
                       CASE WHEN ceil(counted) < $2 THEN '-infinity' ELSE excluded.last_attempt_at
                         + least($4::interval, $3::interval * (2 ^ least(ceil(counted) - $2, 20))) END
                   FROM (SELECT 1 + greatest(0, t.attempts
                       - greatest(0, extract(epoch FROM excluded.last_attempt_at - t.last_attempt_at))
                       / extract(epoch FROM $5::interval))::float8 AS counted) leaked)
               WHERE t.blocked_until <= excluded.last_attempt_at
               RETURNING true AS "counted!""#,
            &rule.key,
            f64::from(rule.free),
            interval(rule.base),
            interval(rule.cap),
            interval(rule.leak),
        )
        .fetch_optional(&self.pool)
        .await?;
        if row.is_some() {
            return Ok(Ok(()));
        }
        self.wait_of(&rule.key).await.map(Err)
    }

    /// How long a refused attempt has to wait.
    async fn wait_of(&self, key: &[u8]) -> Result<Throttled, StoreError> {
        let blocked = sqlx::query!(
            r#"SELECT greatest(blocked_until, now) AS "blocked_until!", now AS "now!"
               FROM sign_in_throttle, (SELECT clock_timestamp() AS now) clock WHERE key = $1"#,
            key,
        )
        .fetch_optional(&self.pool)
        .await?;
        let retry_after = blocked.map(|row| Timestamp::from(row.blocked_until).since(row.now.into()));
        Ok(Throttled { retry_after: retry_after.unwrap_or_default() })
    }

    /// Forgets what was counted: the attempts were no guesses.
    pub async fn forget_attempts(&self, key: &[u8]) -> Result<(), StoreError> {
        sqlx::query!("DELETE FROM sign_in_throttle WHERE key = $1", key).execute(&self.pool).await?;
        Ok(())
    }

    /// Takes one attempt back from each, and no delay that has begun: or somebody with one account of their own
    /// could clear the way to others.
    pub async fn take_back_attempts(&self, keys: &[Vec<u8>]) -> Result<(), StoreError> {
        sqlx::query!(
            "UPDATE sign_in_throttle SET attempts = greatest(attempts - 1, 0)
             FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon WHERE key = ANY($1)",
            keys,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Somebody has signed in to an account from a network: it is known for this long, or longer if it was before.
    pub async fn remember_network(&self, key: &[u8], lifetime: Duration) -> Result<(), StoreError> {
        sqlx::query!(
            "INSERT INTO known_networks AS known (key, expires_at) VALUES ($1, clock_timestamp() + $2)
             ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at
             WHERE known.expires_at < excluded.expires_at - interval '1 day'",
            key,
            interval(lifetime),
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether somebody has signed in to an account from a network, not too long ago.
    pub async fn is_known_network(&self, key: &[u8]) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM known_networks WHERE key = $1 AND expires_at > clock_timestamp()) AS "known!""#,
            key,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(known)
    }

    /// Deletes up to `limit` networks that are known no more; the number deleted.
    pub async fn delete_past_known_networks(&self, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM known_networks WHERE key IN (
                 SELECT key FROM known_networks WHERE expires_at < $2 ORDER BY expires_at LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes up to `limit` counts without an attempt for a day; the number deleted.
    pub async fn delete_past_attempts(&self, limit: i64, now: Timestamp) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            "DELETE FROM sign_in_throttle WHERE key IN (
                 SELECT key FROM sign_in_throttle
                 WHERE last_attempt_at < $2::timestamptz - interval '1 day' ORDER BY last_attempt_at LIMIT $1)",
            limit,
            now.to_datetime(),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
