//! The same rows over clusters of different sizes, by turns.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::written::{Counts, Written, bytes_of_a_grant, checkpoint};
use super::{Grown, sources};
use crate::load;
use crate::measure::{Latencies, median};
use crate::rows::{Contest, Limits, ROWS, Stage};

/// Rows, in the order of the table.
const NAMES: [&str; 4] = ["refresh", "code", "introspect", "userinfo"];

/// A row at one size.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub row: &'static str,
    pub grants: u64,
    pub per_second: f64,
    /// To the smallest size, in the same round: the median of the rounds.
    pub ratio: f64,
    pub closed: Latencies,
    pub cpu_micros: f64,
    /// In the first round, which begins with a checkpoint, and in the others.
    pub wal_after_checkpoint: f64,
    pub wal_later: f64,
    pub hot_share: Option<f64>,
    pub bytes_of_a_grant: f64,
    pub errors: u64,
    pub first_error: Option<String>,
}

/// One row at one size.
struct Lane<'a> {
    stage: &'a Stage,
    grants: u64,
    contest: Contest,
    rate: f64,
    rates: Vec<f64>,
    cpu: Vec<f64>,
    wal: Vec<f64>,
    written: Option<Written>,
    histogram: Option<Histogram<u64>>,
    errors: u64,
    first_error: Option<String>,
}

pub async fn measure(grown: &[Grown]) -> Vec<Figures> {
    let mut prepared: Vec<Vec<Lane<'_>>> = NAMES.iter().map(|_| Vec::new()).collect();
    for Grown { stage, grants, .. } in grown {
        let [introspection, userinfo] = sources::looks(stage).await;
        let refreshes = sources::refreshes(stage).await;
        let code = ROWS.iter().find(|row| row.name == "code").expect("there is such a row");
        let code = (code.prepare)(stage).await;
        let contest = |sources| Contest { sources, refill: None, limits: Limits::none() };
        let contests = [contest(refreshes), code, contest(introspection), contest(userinfo)];
        for (lanes, contest) in prepared.iter_mut().zip(contests) {
            lanes.push(Lane::new(stage, *grants, contest));
        }
    }
    let mut figures = Vec::new();
    for (name, mut lanes) in NAMES.into_iter().zip(prepared) {
        for lane in &mut lanes {
            lane.warm_up().await;
        }
        for round in 0..lanes[0].stage.options.rounds {
            for lane in &mut lanes {
                lane.turn(round == 0).await;
            }
            let rates: Vec<_> = lanes.iter().map(|lane| format!("{:.0}", lane.rate)).collect();
            eprintln!("  {name} round {}: {} a second", round + 1, rates.join(", "));
        }
        let smallest = lanes[0].rates.clone();
        for lane in lanes {
            figures.push(lane.figures(name, &smallest).await);
        }
    }
    figures
}

impl<'a> Lane<'a> {
    fn new(stage: &'a Stage, grants: u64, contest: Contest) -> Self {
        Self {
            stage,
            grants,
            contest,
            rate: 0.0,
            rates: Vec::new(),
            cpu: Vec::new(),
            wal: Vec::new(),
            written: None,
            histogram: None,
            errors: 0,
            first_error: None,
        }
    }

    async fn warm_up(&mut self) {
        let duration = self.duration().min(Duration::from_secs(1));
        self.contest.refill(duration, None).await;
        let outcome = load::closed(self.stage.site.target(), &mut self.contest.sources, duration);
        self.rate = outcome.per_second();
        self.count_errors(outcome);
    }

    async fn turn(&mut self, first: bool) {
        let (stage, duration) = (self.stage, self.duration());
        self.contest.refill(duration, Some(2.0 * self.rate)).await;
        let mut connection = stage.site.connect().await;
        if first {
            checkpoint(&mut connection).await;
        }
        let before = (Counts::now(&mut connection).await, stage.site.cpu_time());
        let outcome = load::closed(stage.site.target(), &mut self.contest.sources, duration);
        let cpu = stage.site.cpu_time() - before.1;
        let answers = outcome.answers.max(1) as f64;
        let wal = Counts::now(&mut connection).await.since(before.0).wal_bytes;
        // Connections count their updates when they have rested for a second.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let written = Counts::now(&mut connection).await.since(before.0);
        self.rate = outcome.per_second();
        self.rates.push(self.rate);
        self.cpu.push(cpu.as_secs_f64() * 1e6 / answers);
        self.wal.push(wal / answers);
        match &mut self.written {
            Some(sum) => sum.add(written),
            None => self.written = Some(written),
        }
        match &mut self.histogram {
            Some(sum) => sum.add(&outcome.histogram).expect("the bounds are the same"),
            None => self.histogram = Some(outcome.histogram.clone()),
        }
        self.count_errors(outcome);
    }

    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.stage.options.seconds)
    }

    fn count_errors(&mut self, outcome: load::Outcome) {
        self.errors += outcome.errors;
        self.first_error = self.first_error.take().or(outcome.first_error);
    }

    async fn figures(self, row: &'static str, smallest: &[f64]) -> Figures {
        let grants = self.grants;
        let ratios = self.rates.iter().zip(smallest).map(|(rate, smallest)| rate / smallest);
        Figures {
            row,
            grants,
            ratio: median(ratios.collect::<Vec<_>>()),
            per_second: median(self.rates.iter().copied()),
            closed: Latencies::from(&self.histogram.expect("there was a round")),
            cpu_micros: median(self.cpu),
            wal_after_checkpoint: self.wal[0],
            wal_later: median(self.wal.iter().skip(1).copied()),
            hot_share: self.written.and_then(|written| written.hot_share()),
            bytes_of_a_grant: bytes_of_a_grant(&mut self.stage.site.connect().await, grants).await,
            errors: self.errors,
            first_error: self.first_error,
        }
    }
}
