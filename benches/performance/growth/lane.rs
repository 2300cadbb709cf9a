//! One row at one size.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::Grown;
use super::written::{Counts, bytes_of_a_grant, checkpoint, wal_bytes};
use crate::load;
use crate::measure::{Latencies, median};
use crate::options::Options;
use crate::postmaster::Postmaster;
use crate::rows::{Contest, Stage};

const WARM_UP: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub row: &'static str,
    pub grants: u64,
    /// How many different ones were presented at most.
    pub tokens: u64,
    pub per_second: f64,
    /// To the smallest size, in the same round: the median of the rounds.
    pub ratio: f64,
    pub closed: Latencies,
    /// Processor time for one answer, of Grantor and of PostgreSQL.
    pub server_micros: f64,
    pub database_micros: f64,
    /// Pages that PostgreSQL looked at for one answer, and those of them that were not in its memory. `None` where
    /// making what is presented takes some too.
    pub pages: Option<f64>,
    pub pages_read: Option<f64>,
    /// In the first round, which begins with a checkpoint, and in the others.
    pub wal_after_checkpoint: f64,
    pub wal_later: f64,
    pub hot_share: Option<f64>,
    /// `None` where there are others meanwhile.
    pub bytes_of_a_grant: Option<f64>,
    pub errors: u64,
    pub first_error: Option<String>,
}

/// A turn of it.
struct Turn {
    per_second: f64,
    server_micros: f64,
    database_micros: f64,
    wal: f64,
}

/// The turns of a row at one size.
pub struct Lane<'a> {
    stage: &'a Stage,
    grants: u64,
    tokens: u64,
    contest: Contest,
    before: Option<Counts>,
    rate: f64,
    turns: Vec<Turn>,
    /// With those of the warm-up.
    answers: u64,
    histogram: Option<Histogram<u64>>,
    errors: u64,
    first_error: Option<String>,
}

impl<'a> Lane<'a> {
    pub fn new(grown: &'a Grown, tokens: u64, contest: Contest) -> Self {
        Self {
            stage: &grown.stage,
            grants: grown.grants,
            tokens,
            contest,
            before: None,
            rate: 0.0,
            turns: Vec::new(),
            answers: 0,
            histogram: None,
            errors: 0,
            first_error: None,
        }
    }

    pub fn options(&self) -> &'a Options {
        &self.stage.options
    }

    /// Warms up, and writes a checkpoint.
    pub async fn begin(&mut self) {
        let mut connection = self.stage.site.connect().await;
        self.before = Some(Counts::now(&mut connection).await);
        let duration = self.options().turn().min(WARM_UP);
        self.contest.refill(duration, None).await;
        let outcome = load::closed(self.stage.site.target(), &mut self.contest.sources, duration);
        self.rate = outcome.per_second();
        self.count(outcome);
        checkpoint(&mut connection).await;
    }

    /// Answers a second.
    pub async fn turn(&mut self) -> f64 {
        let (site, duration) = (&self.stage.site, self.options().turn());
        self.contest.refill(duration, Some(2.0 * self.rate)).await;
        let mut connection = site.connect().await;
        let postmaster = Postmaster::of(&mut connection).await;
        let wal = wal_bytes(&mut connection).await;
        let (server, database) = (site.cpu_time(), postmaster.cpu_time());
        let outcome = load::closed(site.target(), &mut self.contest.sources, duration);
        let (server, database) = (site.cpu_time() - server, postmaster.cpu_time() - database);
        let wal = wal_bytes(&mut connection).await - wal;
        let answers = outcome.answers.max(1) as f64;
        self.rate = outcome.per_second();
        self.turns.push(Turn {
            per_second: self.rate,
            server_micros: server.as_secs_f64() * 1e6 / answers,
            database_micros: database.as_secs_f64() * 1e6 / answers,
            wal: wal / answers,
        });
        match &mut self.histogram {
            Some(sum) => sum.add(&outcome.histogram).expect("the bounds are the same"),
            None => self.histogram = Some(outcome.histogram.clone()),
        }
        self.count(outcome);
        self.rate
    }

    fn count(&mut self, outcome: load::Outcome) {
        self.answers += outcome.answers;
        self.errors += outcome.errors;
        self.first_error = self.first_error.take().or(outcome.first_error);
    }

    pub fn rates(&self) -> Vec<f64> {
        self.turns.iter().map(|turn| turn.per_second).collect()
    }

    /// What its turns have come to, beside those of the smallest size.
    pub async fn figures(self, row: &'static str, smallest: &[f64]) -> Figures {
        let mut connection = self.stage.site.connect().await;
        let written = Counts::now(&mut connection).await.since(self.before.expect("it has begun"));
        let of = |value: fn(&Turn) -> f64| median(self.turns.iter().map(value));
        let ratios = self.rates().into_iter().zip(smallest).map(|(rate, smallest)| rate / smallest);
        let is_alone = self.contest.refill.is_none();
        let each = |pages: f64| is_alone.then_some(pages / self.answers.max(1) as f64);
        let bytes = bytes_of_a_grant(&mut connection, self.grants).await;
        Figures {
            row,
            grants: self.grants,
            tokens: self.tokens,
            per_second: of(|turn| turn.per_second),
            ratio: median(ratios),
            closed: Latencies::from(&self.histogram.expect("there was a round")),
            server_micros: of(|turn| turn.server_micros),
            database_micros: of(|turn| turn.database_micros),
            pages: each(written.pages),
            pages_read: each(written.pages_read),
            wal_after_checkpoint: self.turns[0].wal,
            wal_later: median(self.turns.iter().skip(1).map(|turn| turn.wal)),
            hot_share: written.hot_share(),
            bytes_of_a_grant: is_alone.then_some(bytes),
            errors: self.errors,
            first_error: self.first_error,
        }
    }
}
