//! `/introspect` and `/userinfo`: an access token is judged by the database's state of this very moment. The limit is a
//! handler that asks for one row by its primary key.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use sqlx::types::Uuid;

use super::access_tokens::{Held, access_tokens};
use super::sources::InTurn;
use super::{Contest, Limit, Limits, Row, Stage};
use crate::limits::http::{self, Kind};
use crate::load::request;
use crate::site::HOST;

pub const INTROSPECT: Row =
    Row { name: "introspect", limit: "handler with one SELECT", goal: 1.0, prepare: introspect };

pub const USERINFO: Row =
    Row { name: "userinfo", limit: "handler with one SELECT", goal: 0.8, prepare: userinfo };

/// Of each connection. They are good for ten minutes.
const TOKENS: usize = 256;

fn introspect(stage: &Stage) -> LocalBoxFuture<'_, Contest> {
    let asked = |Held { client, token }: &Held| {
        let (id, secret) = stage.population.client(*client);
        request::post_as(id, secret, HOST, "/introspect", &[("token", token)])
    };
    prepare(stage, b"\"active\":true", asked).boxed_local()
}

fn userinfo(stage: &Stage) -> LocalBoxFuture<'_, Contest> {
    let asked = |held: &Held| {
        request::get(HOST, "/userinfo", &[("Authorization", &format!("Bearer {}", held.token))])
    };
    prepare(stage, b"\"sub\":\"", asked).boxed_local()
}

async fn prepare(stage: &Stage, expected: &'static [u8], asked: impl Fn(&Held) -> Vec<u8>) -> Contest {
    let held = access_tokens(stage, if stage.options.smoke { 16 } else { TOKENS }).await;
    let people = people(stage, held.len() * TOKENS).await;
    let share = people.len().div_ceil(held.len());
    let looked_up = |connection: u64| {
        let own = people.chunks(share).nth(connection as usize % held.len()).unwrap_or(&people);
        InTurn::new(own.iter().map(|id| request::get(HOST, &format!("/{id}"), &[])).collect())
    };
    Contest {
        sources: stage.sources(|connection| {
            InTurn::expecting(expected, held[connection as usize].iter().map(&asked).collect())
        }),
        refill: None,
        limits: Limits::Lowest(vec![Limit::Server {
            process: http::start(Kind::Lookup, &stage.site),
            sources: stage.sources(looked_up),
        }]),
    }
}

/// Accounts all over the table.
async fn people(stage: &Stage, count: usize) -> Vec<Uuid> {
    sqlx::query_scalar("SELECT id FROM users ORDER BY random() LIMIT $1")
        .bind(count as i64)
        .fetch_all(&mut stage.site.connect().await)
        .await
        .expect("there are users")
}
