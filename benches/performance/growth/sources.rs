//! What is asked, over so many grants that those of all sizes are met alike.

use std::sync::Arc;

use crate::load::{Answer, Progress, RequestSource, request};
use crate::population::Population;
use crate::rows::access_tokens::{Held, access_tokens};
use crate::rows::refresh::refreshing;
use crate::rows::sources::{InTurn, text};
use crate::rows::{Source, Stage};
use crate::site::HOST;

/// Refreshes all over the table: each connection goes through families of its own, again and again. As many in all as
/// asked for, but for what connections do not share alike.
pub async fn refreshes(stage: &Stage, chains: u64) -> Vec<Source> {
    let population = &stage.population;
    let grants = population.fresh_grants(chains).await;
    let share = grants.len() / stage.options.connections;
    stage.sources(|connection| {
        let own = grants.iter().skip(connection as usize * share).take(share);
        Families {
            population: Arc::clone(population),
            families: own.map(|grant| (*grant, None)).collect(),
            turn: 0,
        }
    })
}

/// Introspection and UserInfo with the same access tokens.
pub async fn looks(stage: &Stage, tokens: u64) -> [Vec<Source>; 2] {
    let held = access_tokens(stage, tokens as usize / stage.options.connections).await;
    let introspected = |Held { client, token }: &Held| {
        let (id, secret) = stage.population.client(*client);
        request::post_as(id, secret, HOST, "/introspect", &[("token", token)])
    };
    let asked_about = |held: &Held| {
        request::get(HOST, "/userinfo", &[("Authorization", &format!("Bearer {}", held.token))])
    };
    let introspection = stage.sources(|connection| {
        let own = held[connection as usize].iter().map(introspected);
        InTurn::expecting(b"\"active\":true", own.collect())
    });
    let userinfo = stage.sources(|connection| {
        InTurn::expecting(b"\"sub\":\"", held[connection as usize].iter().map(asked_about).collect())
    });
    [introspection, userinfo]
}

/// Families of refresh tokens with their newest token; `None`: the first, which is computed.
struct Families {
    population: Arc<Population>,
    families: Vec<(u64, Option<String>)>,
    turn: usize,
}

impl RequestSource for Families {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        self.turn = (self.turn + 1) % self.families.len();
        let (grant, newest) = &self.families[self.turn];
        let first = || self.population.refresh_token(*grant);
        let token = newest.clone().unwrap_or_else(first);
        request.extend_from_slice(&refreshing(&self.population, *grant, &token, Some("email")));
        true
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Progress {
        match text(answer.body, "refresh_token") {
            Some(next) if answer.status == 200 => {
                self.families[self.turn].1 = Some(next.to_owned());
                Progress::Done
            }
            _ => Progress::Wrong,
        }
    }
}
