//! JWKS and metadata: prepared bytes, against an empty actix handler.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::sources::InTurn;
use super::{Contest, Limit, Limits, Row, Source, Stage};
use crate::limits::http::{self, Kind};
use crate::load::request;
use crate::site::HOST;

pub const JWKS: Row = Row {
    name: "jwks",
    limit: "empty handler",
    goal: 0.9,
    prepare: |stage| prepare(stage, "/.well-known/jwks.json"),
};

pub const METADATA: Row = Row {
    name: "metadata",
    limit: "empty handler",
    goal: 0.9,
    prepare: |stage| prepare(stage, "/.well-known/openid-configuration"),
};

fn prepare<'a>(stage: &'a Stage, path: &'static str) -> LocalBoxFuture<'a, Contest> {
    async move {
        let process = http::start(Kind::Empty, &stage.site);
        Contest {
            sources: same(stage, path),
            refill: None,
            limits: Limits::Lowest(vec![Limit::Server { process, sources: same(stage, "/") }]),
        }
    }
    .boxed_local()
}

fn same(stage: &Stage, path: &str) -> Vec<Source> {
    stage.sources(|_| InTurn::new(vec![request::get(HOST, path, &[])]))
}
