//! What a process does besides answering: the schedule, and one file per job.

mod cleanup;
mod heartbeat;
mod logout_deliveries;
mod partitions;
mod signing_keys;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::app::Shared;
use crate::store::{Store, StoreError};
use crate::telemetry::events;

/// How often each process looks whether clients, scopes, roles or keys have changed.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// A job runs for the first time after this at the latest.
const FIRST: Duration = Duration::from_secs(60);

/// The jobs of this process.
pub struct Jobs {
    store: Store,
    shared: Arc<Shared>,
    holder: Uuid,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Jobs {
    /// Starts all jobs.
    pub fn start(store: Store, shared: Arc<Shared>) -> Self {
        let jobs = Self {
            store,
            shared,
            holder: Uuid::new_v4(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let logout_is_due = Arc::new(Notify::new());
        jobs.every_heartbeat(Arc::clone(&logout_is_due));
        jobs.whenever(logout_is_due);
        jobs.everywhere(Duration::from_secs(60), "waiting logout tokens", logout_deliveries::measure);
        jobs.everywhere(Duration::from_secs(3_600), "partitions to come", partitions::ensure);
        jobs.leased(Duration::from_secs(3_600), "past partitions", partitions::drop_past);
        let stop = jobs.stop.clone();
        jobs.leased(Duration::from_secs(60), "cleanup", move |store, shared| {
            cleanup::run(store, shared, stop.clone())
        });
        jobs.leased(signing_keys::interval(&jobs.shared.config.keys), "signing keys", signing_keys::maintain);
        jobs
    }

    /// Ends all jobs, each after what it is doing.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// In every process.
    fn every_heartbeat(&self, logout_is_due: Arc<Notify>) {
        let (store, shared, stop) = (self.store.clone(), Arc::clone(&self.shared), self.stop.clone());
        self.tasks.spawn(async move {
            let mut heart = heartbeat::Heart::default();
            while !stopped_within(&stop, HEARTBEAT).await {
                if heart.beat(&store, &shared).await {
                    logout_is_due.notify_one();
                }
            }
        });
    }

    /// In every process, as soon as the heartbeat has seen that something is due.
    fn whenever(&self, logout_is_due: Arc<Notify>) {
        let deliveries = logout_deliveries::Deliveries::new(self.store.clone(), Arc::clone(&self.shared));
        self.tasks.spawn(deliveries.run(logout_is_due, self.stop.clone()));
    }

    /// In one process at a time, whichever holds the lease.
    fn leased<F, E>(
        &self,
        interval: Duration,
        name: &'static str,
        run: impl Fn(Store, Arc<Shared>) -> F + Clone + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), E>> + Send,
        E: std::error::Error + From<StoreError> + 'static,
    {
        let holder = self.holder;
        self.every(interval, name, move |store, shared| {
            let run = run.clone();
            async move {
                let holds_lease = store.take_lease(name, holder, interval).await?;
                if holds_lease {
                    run(store, shared).await?;
                }
                Ok::<bool, E>(holds_lease)
            }
        });
    }

    /// In every process.
    fn everywhere<F, E>(
        &self,
        interval: Duration,
        name: &'static str,
        run: impl Fn(Store, Arc<Shared>) -> F + Clone + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), E>> + Send,
        E: std::error::Error + 'static,
    {
        self.every(interval, name, move |store, shared| {
            let run = run.clone();
            async move { run(store, shared).await.map(|()| true) }
        });
    }

    /// In this process, again and again; `run` says whether there was anything to do here.
    fn every<F, E>(
        &self,
        interval: Duration,
        name: &'static str,
        run: impl Fn(Store, Arc<Shared>) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<bool, E>> + Send,
        E: std::error::Error + 'static,
    {
        events::job_scheduled(name);
        let (store, shared, stop) = (self.store.clone(), Arc::clone(&self.shared), self.stop.clone());
        self.tasks.spawn(async move {
            // The first time soon: a process may not live as long as an interval.
            let mut wait = interval.min(FIRST);
            while !stopped_within(&stop, wait).await {
                wait = interval;
                match run(store.clone(), Arc::clone(&shared)).await {
                    Ok(true) => events::job_done(name),
                    Ok(false) => {}
                    Err(error) => events::job_failed(name, &error),
                }
            }
        });
    }
}

/// Waits, and says whether the end came meanwhile.
async fn stopped_within(stop: &CancellationToken, interval: Duration) -> bool {
    tokio::time::timeout(interval, stop.cancelled()).await.is_ok()
}
