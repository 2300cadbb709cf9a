//! `/token` with refresh tokens: each connection has chains of its own, all over the table.

use std::cell::Cell;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::sources::{Supply, text};
use super::{Contest, Limit, Limits, Refill, Row, Stage};
use crate::limits::pgbench::{PgBench, Work};
use crate::load::{Answer, Progress, RequestSource, request};
use crate::population::Population;
use crate::site::HOST;

/// The access token alone is signed.
pub const ROW: Row = Row {
    name: "refresh",
    limit: "signatures, statements",
    goal: 0.7,
    prepare: |stage| prepare(stage, Some("email"), 1),
};

/// As most OpenID Connect apps do it: the answer has an ID token too.
pub const WITH_ID_TOKEN: Row = Row {
    name: "refresh_id_token",
    limit: "signatures / 2, statements",
    goal: 0.7,
    prepare: |stage| prepare(stage, None, 2),
};

/// More than this nobody has seen.
const MOST_PER_SECOND: u32 = 12_000;

/// Chains that a connection goes through in turn.
const CHAINS: usize = 256;
const CHAINS_IN_SMOKE: usize = 16;
/// Refreshes of each, until another grant takes its place.
const REFRESHES: u32 = 4;

fn prepare<'a>(
    stage: &'a Stage,
    scope: Option<&'static str>,
    signatures: u32,
) -> LocalBoxFuture<'a, Contest> {
    async move {
        let fresh = Supply::new();
        let population = &stage.population;
        let length = if stage.options.smoke { CHAINS_IN_SMOKE } else { CHAINS };
        let all_chains = length * stage.options.connections;
        Contest {
            sources: stage.sources(|_| Chains {
                population: Arc::clone(population),
                fresh: fresh.clone(),
                scope,
                chains: Vec::new(),
                length,
                turn: 0,
            }),
            refill: Some((refill(Arc::clone(population), &fresh, all_chains), MOST_PER_SECOND)),
            limits: Limits::Lowest(vec![
                Limit::Signatures(signatures),
                Limit::Statements(PgBench::new(Work::RefreshRotation, &stage.site).await),
            ]),
        }
    }
    .boxed_local()
}

/// Keeps enough grants at hand whose refresh tokens nobody has used: at first one for each chain, then for those that
/// take the place of others.
fn refill(population: Arc<Population>, fresh: &Supply<u64>, chains: usize) -> Refill {
    let first = Cell::new(chains as u64);
    let refill = fresh.refill(move |missing| {
        let population = Arc::clone(&population);
        async move { population.fresh_grants(missing).await }
    });
    Box::new(move |count| refill(count / u64::from(REFRESHES) + first.take()))
}

/// A family of refresh tokens.
struct Chain {
    grant: u64,
    token: String,
    refreshes: u32,
}

/// Those of one connection.
struct Chains {
    population: Arc<Population>,
    fresh: Supply<u64>,
    scope: Option<&'static str>,
    chains: Vec<Chain>,
    /// How many there are once all have begun.
    length: usize,
    turn: usize,
}

impl Chains {
    fn begin(&self) -> Option<Chain> {
        let grant = self.fresh.take()?;
        Some(Chain { grant, token: self.population.refresh_token(grant), refreshes: 0 })
    }
}

impl RequestSource for Chains {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        self.turn = (self.turn + 1) % self.length;
        let is_old = self.chains.get(self.turn).is_none_or(|chain| chain.refreshes == REFRESHES);
        if is_old {
            let Some(chain) = self.begin() else { return false };
            if self.turn < self.chains.len() {
                self.chains[self.turn] = chain;
            } else {
                self.turn = self.chains.len();
                // Not all of them end at once.
                let refreshes = self.turn as u32 % REFRESHES;
                self.chains.push(Chain { refreshes, ..chain });
            }
        }
        let Chain { grant, token, .. } = &self.chains[self.turn];
        request.extend_from_slice(&refreshing(&self.population, *grant, token, self.scope));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        let chain = &mut self.chains[self.turn];
        match text(answer.body, "refresh_token") {
            Some(next) if answer.status == 200 => {
                next.clone_into(&mut chain.token);
                chain.refreshes += 1;
                Progress::Done
            }
            _ => Progress::Wrong,
        }
    }
}

/// The request that uses this refresh token of this grant.
pub fn refreshing(population: &Population, grant: u64, token: &str, scope: Option<&str>) -> Vec<u8> {
    let (id, secret) = population.client(population.grant_client(grant));
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    match scope {
        None => request::post_as(id, secret, HOST, "/token", &form),
        Some(scope) => {
            let [kind, token] = form;
            request::post_as(id, secret, HOST, "/token", &[kind, token, ("scope", scope)])
        }
    }
}
