//! The same load against other servers, by turns with Grantor, on the same cores and the same PostgreSQL.

mod asking;
mod authorizing;
mod contender;
mod peer;
mod processes;
mod report;
mod server;

use std::time::Duration;

use super::load::Outcome;
use super::measure::{Latencies, median};
use super::population::Size;
use super::rows::{ROWS, Row, Stage};
use contender::Contender;
use peer::PEERS;
pub use report::Comparison;
use report::{Compared, Figures, Installation};
use server::Server;

/// What all of them can do, by the names of Grantor's rows.
const SHARED: [&str; 6] = ["client_credentials", "code", "refresh", "introspect", "userinfo", "jwks"];

/// Nothing is written down while caches fill and a first rate is learned.
const WARM_UP: f64 = 1.0;

/// Measures the rows that were chosen, against the peers that are installed.
pub async fn run(stage: &Stage, version: &str, is_chosen: impl Fn(&str) -> bool) -> Comparison {
    let size = size(stage.options.population.size());
    let mut servers = Vec::new();
    for peer in &PEERS {
        servers.extend(Server::start(peer, &stage.site, size).await);
    }
    let mut installations: Vec<_> = servers.iter().map(Installation::of_peer).collect();
    installations.insert(0, Installation::of_grantor(&stage.site, version));
    let mut rows = Vec::new();
    for row in ROWS.iter().filter(|row| SHARED.contains(&row.name) && is_chosen(row.name)) {
        eprintln!("{}", row.name);
        rows.push(compare(row, stage, &servers, &mut installations).await);
    }
    for server in servers {
        server.end(&stage.site).await;
    }
    Comparison { population: size, servers: installations, rows }
}

/// A peer's tables are filled by plain SQL, and no peer becomes faster by larger ones.
fn size(of_grantor: Size) -> Size {
    Size {
        users: of_grantor.users.min(100_000),
        clients: of_grantor.clients,
        grants: of_grantor.grants.min(100_000),
    }
}

async fn compare(
    row: &Row,
    stage: &Stage,
    servers: &[Server],
    installations: &mut [Installation],
) -> Compared {
    let turn = Duration::from_secs_f64(stage.options.seconds);
    let mut contenders = vec![Contender::grantor(row, stage).await];
    contenders.extend(servers.iter().map(|server| Contender::peer(row.name, server, stage)));
    for contender in &mut contenders {
        contender.turn(turn.min(Duration::from_secs_f64(WARM_UP))).await;
    }
    let mut rounds: Vec<Vec<Turn>> = contenders.iter().map(|_| Vec::new()).collect();
    for number in 1..=stage.options.rounds {
        for (contender, turns) in contenders.iter_mut().zip(&mut rounds) {
            turns.push(contender.turn(turn).await);
        }
        let shown: Vec<_> =
            rounds.iter().filter_map(|turns| Some(format!("{:.0}/s", turns.last()?.per_second))).collect();
        eprintln!("  {} round {number}: {}", row.name, shown.join(", "));
    }
    for (contender, installation) in contenders.iter().zip(installations) {
        installation.loaded_mib = installation.loaded_mib.max(contender.memory_mib());
    }
    Compared { name: row.name, figures: rounds.iter().map(|turns| figures(turns, &rounds[0])).collect() }
}

/// What one of them did in one turn.
struct Turn {
    per_second: f64,
    cpu_micros: f64,
    outcome: Outcome,
}

fn figures(turns: &[Turn], of_grantor: &[Turn]) -> Figures {
    let ratios: Vec<f64> =
        of_grantor.iter().zip(turns).map(|(grantor, turn)| grantor.per_second / turn.per_second).collect();
    let mut histogram = turns[0].outcome.histogram.clone();
    for turn in &turns[1..] {
        histogram.add(&turn.outcome.histogram).expect("the bounds are the same");
    }
    Figures {
        per_second: median(turns.iter().map(|turn| turn.per_second)),
        ratio: median(ratios.iter().copied()),
        lowest_ratio: ratios.iter().copied().fold(f64::INFINITY, f64::min),
        highest_ratio: ratios.iter().copied().fold(0.0, f64::max),
        cpu_micros: median(turns.iter().map(|turn| turn.cpu_micros)),
        latencies: Latencies::from(&histogram),
        refused: turns.iter().map(|turn| turn.outcome.refused).sum(),
        errors: turns.iter().map(|turn| turn.outcome.errors).sum(),
        first_error: turns.iter().find_map(|turn| turn.outcome.first_error.clone()),
    }
}
