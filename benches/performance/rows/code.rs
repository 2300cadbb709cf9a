//! `/token` with authorization codes: an access token, an ID token, a refresh token.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::sources::{Supply, text};
use super::{Contest, Limit, Limits, Row, Stage};
use crate::limits::pgbench::{PgBench, Work};
use crate::load::{Answer, Progress, RequestSource, request};
use crate::population::{FreshCode, Population, REDIRECT_URI};
use crate::site::HOST;

pub const ROW: Row = Row { name: "code", limit: "signatures / 2, statements", goal: 0.7, prepare };

/// More than this nobody has seen.
const MOST_PER_SECOND: u32 = 6_000;

fn prepare(stage: &Stage) -> LocalBoxFuture<'_, Contest> {
    async move {
        Contest {
            limits: Limits::Lowest(vec![
                Limit::Signatures(2),
                Limit::Statements(PgBench::new(Work::CodeRedemption, &stage.site).await),
            ]),
            ..redeeming(stage, &stage.population)
        }
    }
    .boxed_local()
}

/// Codes of this population, held against nothing.
pub fn redeeming(stage: &Stage, population: &Arc<Population>) -> Contest {
    let fresh = Supply::new();
    let sources = stage.sources(|_| Codes { population: Arc::clone(population), fresh: fresh.clone() });
    let population = Arc::clone(population);
    let refill = fresh.refill(move |missing| {
        let population = Arc::clone(&population);
        async move { population.fresh_codes(missing).await }
    });
    Contest { sources, refill: Some((refill, MOST_PER_SECOND)), limits: Limits::none() }
}

/// Each code is redeemed once.
struct Codes {
    population: Arc<Population>,
    fresh: Supply<FreshCode>,
}

impl RequestSource for Codes {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let Some(FreshCode { code, verifier, client }) = self.fresh.take() else { return false };
        let (id, secret) = self.population.client(client);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &verifier),
            ("redirect_uri", REDIRECT_URI),
        ];
        request.extend_from_slice(&request::post_as(id, secret, HOST, "/token", &form));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        match (text(answer.body, "id_token"), text(answer.body, "refresh_token")) {
            (Some(_), Some(_)) => answer.expect(200),
            _ => Progress::Wrong,
        }
    }
}
