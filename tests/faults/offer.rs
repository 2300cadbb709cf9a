//! Requests that come when they come, whether or not earlier ones have been answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::task::JoinSet;

use super::measure::quantile;

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Result {
    Good,
    /// 503 or 429.
    Refused,
    Failed,
}

/// A kind of request.
pub type Request = Arc<dyn Fn() -> BoxFuture<'static, Result> + Send + Sync>;

/// What came of many.
#[derive(Default)]
pub struct Offered {
    pub answers: Vec<(Result, Duration)>,
}

/// How often requests are sent, all that are due.
const TICK: Duration = Duration::from_millis(4);

/// Sends so many a second for so long, and waits for all answers.
pub async fn offer(request: &Request, rate: f64, length: Duration) -> Offered {
    let (began, mut sent, mut running) = (Instant::now(), 0_u32, JoinSet::new());
    let mut ticks = tokio::time::interval(TICK);
    while began.elapsed() < length {
        ticks.tick().await;
        while f64::from(sent) < began.elapsed().as_secs_f64() * rate {
            sent += 1;
            let request = request();
            running.spawn(async move {
                let asked = Instant::now();
                (request.await, asked.elapsed())
            });
        }
    }
    Offered { answers: running.join_all().await }
}

/// The connections of [`press`] are opened one after the other.
const OPENING: Duration = Duration::from_secs(5);

/// Sends so many a second for so long over so many connections, each of which waits for its answer before it sends
/// the next: as many as clients can keep up, which are more the sooner they are refused. `began` is told when all
/// connections are open.
pub async fn press(
    request: &Request,
    connections: u32,
    rate: f64,
    length: Duration,
    began: impl FnOnce(),
) -> Offered {
    let (opening, pace) = (Instant::now(), Duration::from_secs_f64(f64::from(connections) / rate));
    let mut running = JoinSet::new();
    for number in 0..connections {
        let request = Arc::clone(request);
        running.spawn(async move {
            tokio::time::sleep(OPENING * number / connections / 2).await;
            request().await;
            tokio::time::sleep((OPENING + pace * number / connections).saturating_sub(opening.elapsed()))
                .await;
            let mut answers = Vec::new();
            let mut ticks = tokio::time::interval(pace);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
            while opening.elapsed() < OPENING + length {
                ticks.tick().await;
                let asked = Instant::now();
                answers.push((request().await, asked.elapsed()));
            }
            answers
        });
    }
    tokio::time::sleep(OPENING).await;
    began();
    Offered { answers: running.join_all().await.concat() }
}

/// How many a second are answered when so many clients ask without pause.
pub async fn peak(request: &Request, clients: usize, length: Duration) -> f64 {
    let (began, mut running) = (Instant::now(), JoinSet::new());
    for _ in 0..clients {
        let request = Arc::clone(request);
        running.spawn(async move {
            let mut good = 0_u32;
            while began.elapsed() < length {
                good += u32::from(request().await == Result::Good);
            }
            good
        });
    }
    let good: u32 = running.join_all().await.into_iter().sum();
    f64::from(good) / began.elapsed().as_secs_f64()
}

impl Offered {
    pub fn count(&self, of: Result) -> usize {
        self.answers.iter().filter(|(result, _)| *result == of).count()
    }

    /// Of those that were good.
    pub fn quantile(&self, share: f64) -> Duration {
        quantile(
            self.answers.iter().filter(|(result, _)| *result == Result::Good).map(|(_, time)| *time),
            share,
        )
    }
}

/// The result of an HTTP answer.
pub fn result(answer: reqwest::Result<reqwest::Response>, good: u16) -> Result {
    match answer.map(|answer| answer.status().as_u16()) {
        Ok(status) if status == good => Result::Good,
        Ok(503 | 429) => Result::Refused,
        _ => Result::Failed,
    }
}
