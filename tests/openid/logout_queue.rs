//! The queue of logout tokens: each has one claim at a time, and what is done goes away.

use std::path::Path;
use std::time::Duration;

use grantor::config::DatabaseSource;
use grantor::secret::Secret;
use grantor::store::{Database, LogoutDeliveryQuery, Store};
use grantor::time::Timestamp;
use sqlx::Row;

use crate::harness::TestDatabase;

const LEASE: Duration = Duration::from_secs(3_600);
const ALL: LogoutDeliveryQuery = LogoutDeliveryQuery { client_id: None, pending: false, limit: 100 };

struct Queue {
    database: TestDatabase,
    store: Store,
}

impl Queue {
    /// With messages to these clients, the first being the oldest.
    async fn of(clients: &[&str]) -> Self {
        let database = TestDatabase::new().await;
        let source = DatabaseSource::Url(Secret::new(database.url()));
        let opened = Database::open(&source, Path::new("/nowhere"), &|_| {}).unwrap();
        let store = opened.store(4, Duration::from_secs(5));
        store.ensure_audit_partitions().await.unwrap();
        let queue = Self { database, store };
        for client in clients {
            let insert = "INSERT INTO logout_deliveries (id, client_id, user_id, session_id)
                          VALUES (gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid())";
            let mut connection = queue.database.sql().await;
            sqlx::query(insert).bind(client).execute(&mut connection).await.unwrap();
        }
        queue
    }

    async fn claim(&self, except: &[&str]) -> Option<grantor::model::LogoutDelivery> {
        let except: Vec<String> = except.iter().map(|client| (*client).to_owned()).collect();
        self.store.claim_logout_delivery(&except, LEASE).await.unwrap()
    }

    async fn claimed(&self, except: &[&str]) -> Option<String> {
        self.claim(except).await.map(|delivery| delivery.client_id.to_string())
    }
}

#[tokio::test]
async fn what_is_claimed_is_nobody_elses_until_the_claim_ends() {
    let queue = Queue::of(&["a", "a", "b"]).await;
    assert!(queue.store.pulse().await.unwrap().logout_is_due);
    assert_eq!(queue.claimed(&[]).await.as_deref(), Some("a"));
    assert_eq!(queue.claimed(&["a"]).await.as_deref(), Some("b"), "not to whom is busy");
    assert_eq!(queue.claimed(&["a"]).await, None);
    assert_eq!(queue.claimed(&[]).await.as_deref(), Some("a"));
    assert_eq!(queue.claimed(&[]).await, None);
    assert!(!queue.store.pulse().await.unwrap().logout_is_due);
    queue
        .database
        .execute("UPDATE logout_deliveries SET next_attempt_at = clock_timestamp() WHERE client_id = 'b'")
        .await;
    assert!(queue.store.pulse().await.unwrap().logout_is_due);
    let again = queue.claim(&[]).await.unwrap();
    assert_eq!((again.client_id.as_str(), again.attempts), ("b", 2));
}

#[tokio::test]
async fn parallel_claims_get_a_message_each() {
    let queue = Queue::of(&["a"; 12]).await;
    let claims = (0..16).map(|_| queue.claim(&[]));
    let claimed = futures_util::future::join_all(claims).await;
    let mut ids: Vec<_> = claimed.into_iter().flatten().map(|delivery| delivery.id).collect();
    ids.sort();
    ids.dedup();
    // Who looked while others claimed may have found nothing; nobody found what another has.
    let left = std::iter::repeat_with(|| ()).take(12 - ids.len());
    for () in left {
        assert!(queue.claim(&[]).await.is_some());
    }
    assert_eq!(queue.claimed(&[]).await, None);
}

#[tokio::test]
async fn a_late_word_does_not_undo_a_later_one() {
    let queue = Queue::of(&["a"]).await;
    let first = queue.claim(&[]).await.unwrap();
    queue.database.execute("UPDATE logout_deliveries SET next_attempt_at = clock_timestamp()").await;
    let second = queue.claim(&[]).await.unwrap();
    // The first comes back after its claim has ended: it did not arrive, or is to be given up.
    queue.store.logout_was_not_delivered(&first, "late", Some(Duration::ZERO)).await.unwrap();
    assert!(!queue.store.give_up_logout_delivery(&first, "late").await.unwrap());
    assert_eq!(queue.claimed(&[]).await, None, "the second claim stands");
    // Nor does it when an operator lets it be sent again while it is being sent: attempts are then counted anew.
    assert_eq!(queue.store.retry_logout_deliveries(None, None).await.unwrap(), 1);
    queue.store.logout_was_not_delivered(&second, "late", Some(LEASE)).await.unwrap();
    assert!(!queue.store.give_up_logout_delivery(&second, "late").await.unwrap());
    let third = queue.claim(&[]).await.expect("it is due at once");
    assert_eq!(third.attempts, first.attempts);
    queue.store.logout_was_not_delivered(&first, "late", Some(Duration::ZERO)).await.unwrap();
    assert_eq!(queue.claimed(&[]).await, None, "the third claim stands");
    queue.store.logout_was_delivered(&third).await.unwrap();
    assert!(!queue.store.give_up_logout_delivery(&third, "late").await.unwrap());
    // That it arrived is true whoever says so.
    queue.store.logout_was_delivered(&first).await.unwrap();
    let all = queue.store.logout_deliveries(&ALL).await.unwrap();
    assert!(all[0].delivered_at.is_some() && all[0].last_error.is_none() && all[0].next_attempt_at.is_none());
    assert_eq!(queue.store.retry_logout_deliveries(None, None).await.unwrap(), 0);
}

#[tokio::test]
async fn what_waits_is_measured_and_what_is_done_goes() {
    let queue = Queue::of(&["done", "given up", "waits", "fresh"]).await;
    for client in ["done", "given up"] {
        let delivery = queue.claim(&[]).await.unwrap();
        assert_eq!(delivery.client_id.as_str(), client);
        match client {
            "done" => queue.store.logout_was_delivered(&delivery).await.unwrap(),
            _ => assert!(queue.store.give_up_logout_delivery(&delivery, "no").await.unwrap()),
        }
    }
    let age =
        "UPDATE logout_deliveries SET created_at = created_at - interval '8 days' WHERE client_id <> 'fresh'";
    queue.database.execute(age).await;
    let waiting = queue.store.waiting_logout_deliveries().await.unwrap();
    assert_eq!(waiting.count, 2);
    assert!(
        waiting.oldest > Duration::from_secs(8 * 86_400 - 60)
            && waiting.oldest < Duration::from_secs(9 * 86_400)
    );

    let week_ago = Timestamp::now() - Duration::from_secs(7 * 86_400);
    assert_eq!(queue.store.delete_past_logout_deliveries(1, week_ago).await.unwrap(), 1);
    assert_eq!(queue.store.delete_past_logout_deliveries(10, week_ago).await.unwrap(), 1);
    assert_eq!(queue.store.delete_past_logout_deliveries(10, week_ago).await.unwrap(), 0);
    let left = queue.store.logout_deliveries(&ALL).await.unwrap();
    let left: Vec<_> = left.iter().map(|delivery| delivery.client_id.as_str()).collect();
    assert_eq!(left, ["waits", "fresh"]);
}

/// The queue's head is found by an index, however many messages wait for later.
#[tokio::test]
async fn looking_whether_something_is_due_does_not_grow_with_what_waits() {
    let queue = Queue::of(&["a"]).await;
    let later = "INSERT INTO logout_deliveries (id, client_id, user_id, session_id, next_attempt_at)
                 SELECT gen_random_uuid(), 'b', user_id, session_id, clock_timestamp() + '1 hour'
                 FROM logout_deliveries, generate_series(1, 20000)";
    queue.database.execute(later).await;
    queue.database.execute("ANALYZE logout_deliveries").await;
    let mut connection = queue.database.sql().await;
    let plan = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT TEXT)
                SELECT min(next_attempt_at) FROM logout_deliveries WHERE next_attempt_at IS NOT NULL";
    let lines = sqlx::query(plan).fetch_all(&mut connection).await.unwrap();
    let plan: Vec<String> = lines.iter().map(|row| row.get(0)).collect();
    assert!(plan.iter().any(|line| line.contains("logout_deliveries_to_send")), "{plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{plan:#?}");
    assert_eq!(queue.claimed(&[]).await.as_deref(), Some("a"));
    assert_eq!(queue.claimed(&[]).await, None);
}
