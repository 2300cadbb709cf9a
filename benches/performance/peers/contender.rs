//! Whoever takes its turn at a row: Grantor, or a peer.

use std::time::Duration;

use futures_util::FutureExt;

use super::Turn;
use super::asking::{Asked, Borrowing, Redeeming, Refreshing};
use super::authorizing::{Authorizing, Code};
use super::peer::Form;
use super::server::{Server, grantor_mib};
use crate::load::{self, Target, request};
use crate::rows::sources::{InTurn, Supply};
use crate::rows::{Contest, Limits, Refill, Row, Source, Stage};

/// Requests of different clients or tokens that a connection has ready.
const READY: u64 = 8;

/// More codes than a peer has been seen to redeem in a second.
const MOST_CODES: u32 = 2_500;

pub struct Contender<'a> {
    target: Target<'a>,
    cpu_time: Box<dyn Fn() -> Duration + 'a>,
    memory_mib: Box<dyn Fn() -> f64 + 'a>,
    contest: Contest,
    /// Units of work per second, once they are known.
    rate: Option<f64>,
}

impl<'a> Contender<'a> {
    pub async fn grantor(row: &Row, stage: &'a Stage) -> Self {
        let mut contest = (row.prepare)(stage).await;
        contest.limits = Limits::none();
        Self {
            target: stage.site.target(),
            cpu_time: Box::new(|| stage.site.cpu_time()),
            memory_mib: Box::new(|| grantor_mib(&stage.site)),
            contest,
            rate: None,
        }
    }

    pub fn peer(row: &str, server: &'a Server, stage: &'a Stage) -> Self {
        let codes = Supply::new();
        let sources = sources(row, server, stage, &codes);
        let asked = Asked::of(server);
        let (connections, cores) = (stage.options.connections, stage.site.other_cores.clone());
        let refill: Refill = Box::new(move |count| {
            let target = Target { address: asked.address, cores: &cores };
            codes.add(authorize(&asked, target, connections, codes.missing(count)));
            std::future::ready(()).boxed_local()
        });
        Self {
            target: server.target(&stage.site),
            cpu_time: Box::new(|| server.processes.cpu_time()),
            memory_mib: Box::new(|| server.processes.memory_mib()),
            contest: Contest {
                sources,
                refill: (row == "code").then_some((refill, MOST_CODES)),
                limits: Limits::none(),
            },
            rate: None,
        }
    }

    pub fn memory_mib(&self) -> f64 {
        (self.memory_mib)()
    }

    pub async fn turn(&mut self, duration: Duration) -> Turn {
        self.contest.refill(duration, self.rate.map(|rate| 1.5 * rate)).await;
        let before = (self.cpu_time)();
        let outcome = load::closed(self.target, &mut self.contest.sources, duration);
        let cpu = (self.cpu_time)() - before;
        let per_second = outcome.per_second();
        self.rate = Some(per_second);
        let cpu_micros = cpu.as_secs_f64() * 1e6 / outcome.answers.max(1) as f64;
        Turn { per_second, cpu_micros, outcome }
    }
}

/// What the connections ask of a peer.
fn sources(row: &str, server: &Server, stage: &Stage, codes: &Supply<Code>) -> Vec<Source> {
    let asked = Asked::of(server);
    let connections = stage.options.connections as u64;
    match row {
        "client_credentials" => stage.sources(|connection| {
            let own = (0..READY).map(|turn| connection + turn * connections);
            InTurn::new(own.map(|n| asked.client_credentials(n)).collect())
        }),
        "code" => stage.sources(|_| Redeeming { asked: asked.clone(), codes: codes.clone() }),
        "refresh" => stage.sources(|connection| {
            let own = (connection..first_lent(server, stage)).step_by(stage.options.connections);
            Refreshing::new(asked.clone(), own, asked.peer.for_api)
        }),
        "introspect" => {
            let tokens = borrow(server, stage, asked.peer.for_introspection, 0);
            let request = |(grant, token): &(u64, String)| asked.introspection(*grant, token);
            stage.sources(|connection| {
                let own = tokens[connection as usize].iter().map(request).collect();
                InTurn::expecting(b"\"active\":", own)
            })
        }
        "userinfo" => {
            let tokens = borrow(server, stage, asked.peer.for_userinfo, 1);
            stage.sources(|connection| {
                let own =
                    tokens[connection as usize].iter().map(|(_, token)| asked.userinfo(token)).collect();
                InTurn::expecting(b"\"sub\":", own)
            })
        }
        _ => stage.sources(|_| InTurn::new(vec![request::get(&asked.host(), asked.peer.jwks, &[])])),
    }
}

/// The last grants lend their access tokens, once for introspection and once for userinfo. Those before belong to the
/// refreshing connections.
fn first_lent(server: &Server, stage: &Stage) -> u64 {
    server.size.grants - 2 * READY * stage.options.connections as u64
}

/// Some access tokens for each connection, each got by a refresh of a grant in this half of the lent ones.
fn borrow(server: &Server, stage: &Stage, kind: Form, half: u64) -> Vec<Vec<(u64, String)>> {
    let connections = stage.options.connections as u64;
    let first = first_lent(server, stage) + half * READY * connections;
    let mut borrowing: Vec<_> = (0..connections)
        .map(|connection| Borrowing {
            asked: Asked::of(server),
            kind,
            grants: (0..READY).map(|turn| first + connection + turn * connections).collect(),
            borrowed: Vec::new(),
        })
        .collect();
    let outcome = load::all(server.target(&stage.site), &mut borrowing);
    assert!(outcome.errors == 0, "{} gives no tokens: {:?}", server.peer.name, outcome.first_error);
    borrowing.into_iter().map(|one| one.borrowed).collect()
}

/// So many codes of the peer's own authorization endpoint.
fn authorize(asked: &Asked, target: Target<'_>, connections: usize, count: u64) -> Vec<Code> {
    let each = count.div_ceil(connections as u64);
    let mut browsers: Vec<_> = (0..connections).map(|_| Authorizing::new(asked.clone(), each)).collect();
    let outcome = load::all(target, &mut browsers);
    assert!(outcome.errors == 0, "{} gives no codes: {:?}", asked.peer.name, outcome.first_error);
    browsers.into_iter().flat_map(|browser| browser.codes).collect()
}
