//! Limit and Grantor by turns, so that what else the machine does meets both.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::load::{self, Outcome};
use super::rows::{Contest, Row, Stage};

/// Nothing is written down while caches fill and a first rate is learned.
const WARM_UP: f64 = 1.0;

/// A row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    pub name: &'static str,
    pub limit: &'static str,
    pub goal: f64,
    /// Medians of the rounds.
    pub per_second: f64,
    /// Of the limit that its limits make.
    pub limit_per_second: f64,
    /// Of each limit.
    pub limits: Vec<(&'static str, f64)>,
    pub ratio: f64,
    /// To the lowest of its limits, which is another where they add up.
    pub ratio_to_lowest: f64,
    pub lowest_ratio: f64,
    pub highest_ratio: f64,
    /// Processor time of the server for one answer.
    pub cpu_micros: f64,
    pub limit_cpu_micros: Option<f64>,
    /// Processor time of the load for one answer.
    pub load_cpu_micros: f64,
    /// The limit's processor time for one answer over Grantor's: what the ratio would be if nothing but the server's
    /// cores were scarce.
    pub cpu_ratio: Option<f64>,
    /// Shares of the time in which the server's cores worked, and the others, in Grantor's turns.
    pub server_cores_busy: f64,
    pub other_cores_busy: f64,
    pub rounds: Vec<Round>,
    pub closed: Latencies,
    /// At half of the highest rate, and at four fifths of it.
    pub at_half: Option<Latencies>,
    pub at_four_fifths: Option<Latencies>,
    pub answers: u64,
    /// Answers with 503 and a time to come again.
    pub refused: u64,
    pub errors: u64,
    pub first_error: Option<String>,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub per_second: f64,
    pub cpu_micros: f64,
    /// Processor time of the load for each answer.
    pub load_cpu_micros: f64,
    pub limit_per_second: f64,
    /// Each limit's name and what it reached.
    pub limits: Vec<(&'static str, f64)>,
    pub limit_cpu_micros: Option<f64>,
    pub ratio: f64,
    pub server_cores_busy: f64,
    pub other_cores_busy: f64,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latencies {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
}

impl Measured {
    /// Whether the goal was reached by answers that were all right.
    pub fn is_met(&self) -> bool {
        self.ratio >= self.goal && self.errors == 0
    }
}

impl From<&Histogram<u64>> for Latencies {
    fn from(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
    }
}

/// Measures one row.
pub async fn row(row: &Row, stage: &Stage) -> Measured {
    let mut contest = (row.prepare)(stage).await;
    let mut all = Turns { stage, rate: 0.0, sum: None };
    let turn = Duration::from_secs_f64(stage.options.seconds);
    all.warm_up(&mut contest, turn).await;
    let mut rounds = Vec::new();
    for number in 0..stage.options.rounds {
        let round = all.round(&mut contest, turn).await;
        eprintln!("  {} round {}: {:.0}/s, ratio {:.2}", row.name, number + 1, round.per_second, round.ratio);
        rounds.push(round);
        if all.sum.as_ref().is_some_and(|sum| sum.errors > 0) {
            break;
        }
    }
    let per_second = median(rounds.iter().map(|round| round.per_second));
    let closed = all.sum.as_ref().map(|sum| Latencies::from(&sum.histogram));
    let mut at_rates = [None, None];
    if !stage.options.no_rates {
        for (slot, share) in at_rates.iter_mut().zip([0.5, 0.8]) {
            *slot = all.at(&mut contest, share * per_second, turn).await;
        }
    }
    let [at_half, at_four_fifths] = at_rates;
    let sum = all.sum.expect("there was a round");
    let the_median = |of: fn(&Round) -> f64| median(rounds.iter().map(of));
    let ratios = || rounds.iter().map(|round| round.ratio);
    let cpu_micros = the_median(|round| round.cpu_micros);
    let limit_cpu: Option<Vec<f64>> = rounds.iter().map(|round| round.limit_cpu_micros).collect();
    let limit_cpu_micros = limit_cpu.map(median);
    Measured {
        name: row.name,
        limit: row.limit,
        goal: row.goal,
        per_second,
        limit_per_second: the_median(|round| round.limit_per_second),
        limits: each_limit(&rounds),
        ratio: median(ratios()),
        ratio_to_lowest: the_median(|round| round.per_second / round.lowest_limit()),
        lowest_ratio: ratios().fold(f64::INFINITY, f64::min),
        highest_ratio: ratios().fold(0.0, f64::max),
        cpu_micros,
        limit_cpu_micros,
        load_cpu_micros: the_median(|round| round.load_cpu_micros),
        cpu_ratio: limit_cpu_micros.map(|of_limit| of_limit / cpu_micros),
        server_cores_busy: the_median(|round| round.server_cores_busy),
        other_cores_busy: the_median(|round| round.other_cores_busy),
        closed: closed.expect("there was a round"),
        at_half,
        at_four_fifths,
        answers: sum.answers,
        refused: sum.refused,
        errors: sum.errors,
        first_error: sum.first_error,
        rounds,
    }
}

/// The turns of a row, one after the other.
struct Turns<'a> {
    stage: &'a Stage,
    /// What was reached last.
    rate: f64,
    sum: Option<Outcome>,
}

impl Turns<'_> {
    async fn warm_up(&mut self, contest: &mut Contest, turn: Duration) {
        let duration = turn.min(Duration::from_secs_f64(WARM_UP));
        contest.refill(duration, None).await;
        let outcome = load::closed(self.stage.site.target(), &mut contest.sources, duration);
        self.rate = outcome.per_second();
        if outcome.errors > 0 {
            self.count(outcome);
        }
    }

    async fn round(&mut self, contest: &mut Contest, turn: Duration) -> Round {
        let (mut limits, mut reached) = (Vec::new(), Vec::new());
        for limit in contest.limits.each() {
            let one = limit.measure(self.stage, turn).await;
            limits.push((limit.name(), one.per_second));
            reached.push(one);
        }
        let limit = contest.limits.combined(&reached);
        // More than twice what was reached last would be a surprise.
        contest.refill(turn, Some(2.0 * self.rate)).await;
        let site = &self.stage.site;
        let before = (site.cpu_time(), site.server_cores.clock(), site.other_cores.clock());
        let outcome = load::closed(site.target(), &mut contest.sources, turn);
        let cpu = site.cpu_time() - before.0;
        let server_cores_busy = site.server_cores.clock().busy_since(before.1);
        let other_cores_busy = site.other_cores.clock().busy_since(before.2);
        let per_second = outcome.per_second();
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / outcome.answers.max(1) as f64;
        let (cpu_micros, load_cpu_micros) = (each(cpu), each(outcome.cpu));
        self.rate = per_second;
        self.count(outcome);
        Round {
            per_second,
            cpu_micros,
            limit_per_second: limit.per_second,
            limits,
            limit_cpu_micros: limit.cpu_micros,
            load_cpu_micros,
            ratio: per_second / limit.per_second,
            server_cores_busy,
            other_cores_busy,
        }
    }

    /// At a fixed rate; `None` where nothing can be offered.
    async fn at(&mut self, contest: &mut Contest, rate: f64, turn: Duration) -> Option<Latencies> {
        if rate <= 0.0 || self.sum.as_ref().is_some_and(|sum| sum.errors > 0) {
            return None;
        }
        contest.refill(turn, Some(rate)).await;
        let outcome = load::fixed_rate(self.stage.site.target(), &mut contest.sources, rate, turn);
        let latencies = Latencies::from(&outcome.histogram);
        self.count(outcome);
        Some(latencies)
    }

    fn count(&mut self, outcome: Outcome) {
        match &mut self.sum {
            Some(sum) => sum.add(outcome),
            None => self.sum = Some(outcome),
        }
    }
}

impl Round {
    fn lowest_limit(&self) -> f64 {
        self.limits.iter().map(|(_, reached)| *reached).fold(f64::INFINITY, f64::min)
    }
}

/// The median of each limit.
fn each_limit(rounds: &[Round]) -> Vec<(&'static str, f64)> {
    let names = rounds.first().map(|round| round.limits.iter().map(|(name, _)| *name));
    let of = |at: usize| median(rounds.iter().map(|round| round.limits[at].1));
    names.into_iter().flatten().enumerate().map(|(at, name)| (name, of(at))).collect()
}

/// The one in the middle, or the mean of the two that are.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
