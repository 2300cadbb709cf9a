//! Looks at grants. Those that wait together are one statement.
//!
//! Nearly all that a look costs is the way to the database and back. A request may join a statement as long as that
//! has not been sent, so that its answer is of a moment after it was asked.

use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgConnection;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::grants::{GrantRow, GrantView};
use super::pool::{Lent, has_waited, patience};
use super::{Store, StoreError};
use crate::model::GrantId;
use crate::time::Timestamp;

/// After so long others no longer wait for the end of the statement that is under way: one that hangs keeps nobody else.
/// With more than one at once each would serve fewer, so that there is one as long as the database answers at once.
const PATIENCE: Duration = Duration::from_millis(20);

/// Statements of one pool that are late at once.
const MOST_LATE: usize = 1;

/// Looks that one statement serves, so that nobody waits for too many others.
const MOST_TOGETHER: usize = 64;

/// What is asked of a grant.
#[derive(Debug)]
pub struct GrantLook {
    /// The grant.
    pub id: GrantId,
    /// The `jti` of an access token: the grant counts as alive only if that token is not revoked. What it says of refresh
    /// tokens, resources, and scopes that were asked for is left out then.
    pub jti: Option<String>,
    /// Whether what is known of the person is wanted in any case.
    pub with_attributes: bool,
    /// When the request came.
    pub now: Timestamp,
}

type Answer = Result<Option<GrantView>, StoreError>;

/// The looks that wait for a statement. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct GrantLooks(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Whether somebody takes those that wait.
    has_sender: bool,
    late: usize,
    tickets: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    look: GrantLook,
    since: Instant,
    tell: oneshot::Sender<Answered>,
}

/// What came of a look.
#[derive(Debug)]
struct Answered {
    /// How long it waited for its statement to be sent.
    waited: Duration,
    answer: Answer,
}

impl GrantLooks {
    /// The look's ticket, and whether somebody has to send a statement for it.
    fn add(&self, look: GrantLook, tell: oneshot::Sender<Answered>) -> (u64, bool) {
        let mut queue = self.lock();
        queue.tickets += 1;
        let ticket = queue.tickets;
        queue.waiting.push(Waiting { ticket, look, since: Instant::now(), tell });
        (ticket, !mem::replace(&mut queue.has_sender, true))
    }

    /// Takes a look back; whether its statement was not sent yet.
    fn give_up(&self, ticket: u64) -> bool {
        let mut queue = self.lock();
        let before = queue.waiting.len();
        queue.waiting.retain(|waiting| waiting.ticket != ticket);
        queue.waiting.len() < before
    }

    /// Those who have waited longest and still do.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.lock();
        queue.waiting.retain(|waiting| !waiting.tell.is_closed());
        let most = queue.waiting.len().min(MOST_TOGETHER);
        queue.waiting.drain(..most).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends statements, as long as it lives.
struct Sender {
    looks: GrantLooks,
    role: Role,
}

#[derive(PartialEq)]
enum Role {
    /// It takes those that wait.
    Taking,
    /// It has left that to another, and waits for its last statement.
    Late,
    Done,
}

impl Sender {
    /// Whether it has to take no more. From the moment on at which nobody waits, who comes finds that a sender is missing.
    fn is_done(&mut self) -> bool {
        let mut queue = self.looks.lock();
        if self.role == Role::Taking && queue.waiting.is_empty() {
            queue.has_sender = false;
            self.role = Role::Done;
        }
        self.role != Role::Taking
    }

    /// Leaves those that wait to another; whether somebody has to send a statement for them.
    fn falls_behind(&mut self) -> bool {
        let mut queue = self.looks.lock();
        if queue.late == MOST_LATE {
            return false;
        }
        queue.late += 1;
        self.role = Role::Late;
        queue.has_sender = !queue.waiting.is_empty();
        queue.has_sender
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut queue = self.looks.lock();
        match self.role {
            // It broke off: those that wait are told so, and who comes has to send.
            Role::Taking => {
                queue.has_sender = false;
                queue.waiting.clear();
            }
            Role::Late => queue.late -= 1,
            Role::Done => {}
        }
    }
}

impl Store {
    /// A grant with everything that a decision about it needs.
    pub(super) async fn look_at_grant(&self, look: GrantLook) -> Answer {
        let (tell, mut answer) = oneshot::channel();
        let (ticket, needs_sender) = self.looks.add(look, tell);
        if needs_sender {
            self.begin_to_send();
        }
        let answered = match patience() {
            None => answer.await,
            Some(patience) => match tokio::time::timeout(patience, &mut answer).await {
                Ok(answered) => answered,
                Err(_) if self.looks.give_up(ticket) => {
                    has_waited(patience);
                    return Err(sqlx::Error::PoolTimedOut.into());
                }
                // A statement that was sent ends in time by itself.
                Err(_) => answer.await,
            },
        };
        let Answered { waited, answer } = answered.map_err(|_| sqlx::Error::WorkerCrashed)?;
        has_waited(waited);
        answer
    }

    /// In a task of its own, which goes on for the others if this request is given up.
    fn begin_to_send(&self) {
        let sender = Sender { looks: self.looks.clone(), role: Role::Taking };
        tokio::spawn(self.clone().send_looks(sender));
    }

    async fn send_looks(self, mut sender: Sender) {
        while !sender.is_done() {
            // Whoever comes while a connection is waited for comes along.
            let lent = self.pool.lend().await;
            let waiting = self.looks.take();
            if waiting.is_empty() {
                continue;
            }
            let (looks, asking): (Vec<_>, Vec<_>) =
                waiting.into_iter().map(|one| (one.look, (one.since.elapsed(), one.tell))).unzip();
            let mut looking = pin!(self.look(lent, &looks));
            let looked = match tokio::time::timeout(PATIENCE, &mut looking).await {
                Ok(looked) => looked,
                Err(_) => {
                    if sender.falls_behind() {
                        self.begin_to_send();
                    }
                    looking.await
                }
            };
            tell(&looks, asking, looked);
        }
    }

    /// Until the database does not give the statement up.
    async fn look(
        &self,
        mut lent: Result<Lent, sqlx::Error>,
        looks: &[GrantLook],
    ) -> Result<Vec<GrantRow>, sqlx::Error> {
        let mut attempts = self.pool.watch().attempts();
        loop {
            match lent?.run(self.pool.watch(), async |database| rows(database, looks).await).await {
                Ok(rows) => return Ok(rows),
                Err(error) => attempts.after(error).await?,
            }
            lent = self.pool.lend().await;
        }
    }
}

async fn rows(database: &mut PgConnection, looks: &[GrantLook]) -> Result<Vec<GrantRow>, sqlx::Error> {
    let ids: Vec<Uuid> = looks.iter().map(|look| look.id.as_uuid()).collect();
    let jtis: Vec<Option<String>> = looks.iter().map(|look| look.jti.clone()).collect();
    let with_attributes: Vec<bool> = looks.iter().map(|look| look.with_attributes).collect();
    sqlx::query_as!(
        GrantRow,
        r#"SELECT wanted.place AS "place!", g.id AS "id!", g.user_id AS "user_id!", g.client_id AS "client_id!",
               g.session_id, g.started_in, g.claims, g.scopes AS "scopes!",
               g.auth_time AS "auth_time!", g.expires_at AS "expires_at!", g.generation AS "generation!",
               CASE WHEN wanted.jti IS NULL THEN g.resources ELSE '{}' END AS "resources!",
               CASE WHEN wanted.jti IS NULL THEN g.requested_scopes ELSE '{}' END AS "requested_scopes!",
               CASE WHEN wanted.jti IS NULL THEN g.refresh_hash END AS refresh_hash,
               CASE WHEN wanted.jti IS NULL THEN g.refresh_key_id END AS refresh_key_id,
               g.refreshed_at, g.idle_expires_at,
               (SELECT roles FROM roles_of_users held WHERE held.user_id = g.user_id) AS roles,
               CASE WHEN wanted.with_attributes OR g.claims ? 'id_token' THEN g.attributes END AS attributes,
               clock.now AS "database_time!",
               CASE WHEN NOT EXISTS (SELECT FROM revoked_access_tokens WHERE jti = wanted.jti) THEN g.ends_at END
                   AS ends_at,
               g.client_audiences
           FROM unnest($1::uuid[], $2::text[], $3::bool[]) WITH ORDINALITY
               AS wanted (id, jti, with_attributes, place)
           CROSS JOIN (SELECT clock_timestamp() AS now) clock
           JOIN grant_lives g ON g.id = wanted.id"#,
        &ids,
        &jtis as &[Option<String>],
        &with_attributes,
    )
    .fetch_all(database)
    .await
}

/// Tells each what came of its look.
fn tell(
    looks: &[GrantLook],
    asking: Vec<(Duration, oneshot::Sender<Answered>)>,
    looked: Result<Vec<GrantRow>, sqlx::Error>,
) {
    let mut views: Vec<Answer> = looks.iter().map(|_| Ok(None)).collect();
    match looked.map_err(StoreError::from) {
        Ok(rows) => {
            for row in rows {
                let place = row.index();
                if let (Some(view), Some(look)) = (views.get_mut(place), looks.get(place)) {
                    *view = row.view(look.now).map(Some);
                }
            }
        }
        Err(error) => views.fill_with(|| Err(error.again())),
    }
    for ((waited, tell), answer) in asking.into_iter().zip(views) {
        // Who has gone away needs no answer.
        let _ = tell.send(Answered { waited, answer });
    }
}
