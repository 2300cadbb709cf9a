//! The same rows over clusters of different sizes, by turns.
//!
//! Alike at each size are people and apps, partitions, settings of PostgreSQL, connections, and the number of different
//! tokens that a row presents, which is what the smallest has. All were vacuumed and analyzed before; each row begins with
//! a warm-up and a checkpoint of each; nothing else is vacuumed meanwhile, so that one cluster works at a time. What
//! is left are deeper indexes.
//!
//! The rows once more, "spread": as many different tokens as there are, up to a bound. Then pages come from outside of
//! PostgreSQL's memory and the processor's, and each page's first change after the checkpoint is logged whole. That is
//! the price of many active tokens, of which a small cluster has none.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sqlx::PgConnection;

use super::lane::{Figures, Lane};
use super::{Grown, sources};
use crate::rows::code::redeeming;
use crate::rows::{Contest, Limits, Source, Stage};

/// Rows of refresh tokens and of access tokens, each with the same number at all sizes and spread: none is presented
/// in two of them, and the other parts need some too.
const SHARES: u64 = 5;

/// Tokens that others may need.
const SPARE: u64 = 64;

/// Where tokens are spread: more refresh tokens than are used, and as many access tokens as a thread of Grantor's
/// remembers the signatures of.
const MOST_CHAINS: u64 = 100_000;
const MOST_TOKENS: u64 = 8_192;

/// Sessions of PostgreSQL that rest tell after 10 s what they have done.
const UNTIL_TOLD: Duration = Duration::from_millis(10_500);

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    pub clusters: Vec<Cluster>,
    pub rows: Vec<Figures>,
}

/// A size, and what else could make a difference.
#[derive(Debug, Clone, Serialize)]
pub struct Cluster {
    pub grants: u64,
    pub partitions_of_grants: i64,
    pub partitions_of_codes: i64,
    pub database_bytes: i64,
}

/// How many different tokens a row presents.
#[derive(Clone, Copy)]
enum Tokens {
    Same(u64),
    Spread,
}

pub async fn measure(grown: &[Grown]) -> Found {
    let mut clusters = Vec::new();
    for Grown { stage, grants, .. } in grown {
        stage.population.settle().await;
        stage.site.set("autovacuum", Some("off")).await;
        clusters.push(Cluster::look(&mut stage.site.connect().await, *grants).await);
    }
    let smallest = grown.iter().map(|one| there_are(&one.stage) / SHARES).min().unwrap_or(0);
    let mut both = vec![
        (Tokens::Same(smallest), ["refresh", "introspect", "userinfo", "code"]),
        (Tokens::Spread, ["refresh, spread", "introspect, spread", "userinfo, spread", "code, spread"]),
    ];
    if grown.iter().any(|one| one.stage.options.smoke) {
        both.truncate(1);
    }
    let mut rows = Vec::new();
    for (tokens, [refresh, introspect, userinfo, _]) in &both {
        rows.extend(row(refresh, refreshes(grown, *tokens).await).await);
        let [introspects, userinfos] = looks(grown, *tokens).await;
        rows.extend(row(introspect, introspects).await);
        rows.extend(row(userinfo, userinfos).await);
    }
    // The last: they make grants, so that a small cluster grows.
    for (tokens, [.., code]) in &both {
        rows.extend(row(code, codes(grown, *tokens)).await);
    }
    for Grown { stage, .. } in grown {
        stage.site.set("autovacuum", None).await;
    }
    Found { clusters, rows }
}

/// One row at all sizes.
async fn row(name: &'static str, mut lanes: Vec<Lane<'_>>) -> Vec<Figures> {
    for lane in &mut lanes {
        lane.begin().await;
    }
    let options = lanes[0].options().clone();
    for round in 1..=options.rounds {
        let mut rates = Vec::new();
        for lane in &mut lanes {
            rates.push(format!("{:.0}", lane.turn().await));
        }
        eprintln!("  {name} round {round}: {} a second", rates.join(", "));
    }
    if !options.smoke {
        tokio::time::sleep(UNTIL_TOLD).await;
    }
    let smallest = lanes[0].rates();
    let mut figures = Vec::new();
    for lane in lanes {
        figures.push(lane.figures(name, &smallest).await);
    }
    figures
}

/// Refresh tokens that a cluster has for all of this.
fn there_are(stage: &Stage) -> u64 {
    let there_are = stage.population.for_load();
    (there_are.end - there_are.start).saturating_sub(SPARE)
}

impl Tokens {
    /// At this cluster, as many for each connection.
    fn of(self, stage: &Stage, most: u64) -> u64 {
        let connections = stage.options.connections as u64;
        let tokens = match self {
            Self::Same(tokens) => tokens.min(MOST_TOKENS),
            Self::Spread => (there_are(stage) / SHARES).min(most),
        };
        tokens / connections * connections
    }
}

async fn refreshes(grown: &[Grown], tokens: Tokens) -> Vec<Lane<'_>> {
    let mut lanes = Vec::new();
    for one in grown {
        let tokens = tokens.of(&one.stage, MOST_CHAINS);
        lanes.push(Lane::new(one, tokens, contest(sources::refreshes(&one.stage, tokens).await)));
    }
    lanes
}

async fn looks(grown: &[Grown], tokens: Tokens) -> [Vec<Lane<'_>>; 2] {
    let (mut introspections, mut userinfos) = (Vec::new(), Vec::new());
    for one in grown {
        let tokens = tokens.of(&one.stage, MOST_TOKENS);
        let [introspection, userinfo] = sources::looks(&one.stage, tokens).await;
        introspections.push(Lane::new(one, tokens, contest(introspection)));
        userinfos.push(Lane::new(one, tokens, contest(userinfo)));
    }
    [introspections, userinfos]
}

/// Each code is used once: what differs is how many pairs of people and apps have them.
fn codes(grown: &[Grown], tokens: Tokens) -> Vec<Lane<'_>> {
    let mut lanes = Vec::new();
    for one in grown {
        let pairs = tokens.of(&one.stage, MOST_CHAINS);
        let population = Arc::new(one.stage.population.with_codes_for(pairs));
        lanes.push(Lane::new(one, pairs, redeeming(&one.stage, &population)));
    }
    lanes
}

fn contest(sources: Vec<Source>) -> Contest {
    Contest { sources, refill: None, limits: Limits::none() }
}

impl Cluster {
    async fn look(connection: &mut PgConnection, grants: u64) -> Self {
        let looked = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE inhparent = 'grants'::regclass),
                 count(*) FILTER (WHERE inhparent = 'authorization_codes'::regclass),
                 pg_database_size(current_database())
             FROM pg_inherits",
        );
        let (partitions_of_grants, partitions_of_codes, database_bytes) =
            looked.fetch_one(connection).await.expect("PostgreSQL knows its tables");
        Self { grants, partitions_of_grants, partitions_of_codes, database_bytes }
    }
}
