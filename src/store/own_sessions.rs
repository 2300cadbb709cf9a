//! Sessions as their person is shown them.

use super::{Store, StoreError};
use crate::model::{OwnSession, SessionId, UserId};
use crate::time::Timestamp;

impl Store {
    /// A person's living sessions: the one named `first`, then the last used. At most `limit`.
    pub async fn sessions_of(
        &self,
        user: UserId,
        first: Option<SessionId>,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<OwnSession>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT id, auth_time, last_seen_at, least(idle_expires_at, expires_at) AS "ends_at!", address, user_agent
               FROM sessions
               WHERE user_id = $1 AND ended_at IS NULL
                   AND least(idle_expires_at, expires_at) > greatest($4, clock_timestamp())
               ORDER BY id IS DISTINCT FROM $2, last_seen_at DESC, id
               LIMIT $3"#,
            user.as_uuid(),
            first.map(SessionId::as_uuid),
            limit,
            now.to_datetime(),
        )
        .fetch_all(&self.pool)
        .await?;
        let sessions = rows.into_iter().map(|row| OwnSession {
            id: row.id.into(),
            auth_time: row.auth_time.into(),
            last_seen_at: row.last_seen_at.into(),
            ends_at: row.ends_at.into(),
            address: row.address,
            user_agent: row.user_agent,
        });
        Ok(sessions.collect())
    }

    /// The session behind a cookie that nobody has signed out of; it may have expired.
    pub async fn session_not_signed_out(&self, token_hash: &[u8]) -> Result<Option<SessionId>, StoreError> {
        let id = sqlx::query_scalar!(
            "SELECT id FROM sessions WHERE token_hash = $1 AND ended_at IS NULL",
            token_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(id.map(SessionId::from))
    }

    /// Whose living session this is.
    pub async fn owner_of_session(
        &self,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let owner = sqlx::query_scalar!(
            "SELECT user_id FROM sessions
             WHERE id = $1 AND ended_at IS NULL
                 AND least(idle_expires_at, expires_at) > greatest($2, clock_timestamp())",
            session.as_uuid(),
            now.to_datetime(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(owner.map(UserId::from))
    }
}
