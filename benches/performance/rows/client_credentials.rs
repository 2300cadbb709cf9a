//! `/token` with client credentials: a signature, and nothing else that takes time.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::sources::InTurn;
use super::{Contest, Limit, Limits, Row, Stage};
use crate::load::request;
use crate::site::HOST;

pub const ROW: Row = Row { name: "client_credentials", limit: "signatures", goal: 0.85, prepare };

/// Requests of different clients that a connection has ready.
const CLIENTS: u64 = 256;

fn prepare(stage: &Stage) -> LocalBoxFuture<'_, Contest> {
    async move {
        let asked = |client| {
            let (id, secret) = stage.population.client(client);
            request::post_as(id, secret, HOST, "/token", &[("grant_type", "client_credentials")])
        };
        Contest {
            sources: stage.sources(|connection| {
                let connections = stage.options.connections as u64;
                InTurn::new((0..CLIENTS).map(|turn| asked(connection + turn * connections)).collect())
            }),
            refill: None,
            limits: Limits::Lowest(vec![Limit::Signatures(1)]),
        }
    }
    .boxed_local()
}
