//! What a request costs, counted so that the load of the machine does not matter: how often it allocates, and how many
//! instructions it takes. `script/allocations` and `script/instructions` run it.
//!
//!   guard allocations [--accept]
//!   guard instructions [--accept]

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a failed step is a failed guard, and the tests' actors are not all needed here"
)]

mod allocations;
mod budget;
mod callgrind;
mod connection;
mod cost;
mod guarded;
#[allow(unused_imports, reason = "the actors are shared with the integration tests")]
#[path = "../harness/mod.rs"]
mod harness;
mod instructions;
mod requests;

use std::process::ExitCode;

use budget::{Budget, Count, Toolchain};
use cost::Cost;
use guarded::Guarded;
use harness::Server;
use requests::Kind;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (cost, accept) = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // Counts its own allocations while it is the server.
        ["serve", ..] => {
            allocations::answer_on_standard_input();
            return grantor::cli::main();
        }
        [cost] => (Cost::named(cost), false),
        [cost, "--accept"] => (Cost::named(cost), true),
        _ => (None, false),
    };
    let Some(cost) = cost else {
        println!("guard (allocations | instructions) [--accept]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let counts = runtime.block_on(count(cost));
    if accept {
        Budget::of(Toolchain::here(), &counts).write(cost);
    }
    judge(cost, &counts)
}

/// What a request of each kind costs.
async fn count(cost: Cost) -> Vec<Count> {
    let server = Server::start().await;
    let kinds = requests::prepare(&server).await;
    let mut guarded = Guarded::start(cost, &server);
    let count = |kind: Kind| Count {
        name: kind.name,
        counted: guarded.cost_of(&kind),
        tolerance: cost.tolerance(kind.asks_database),
    };
    kinds.into_iter().map(count).collect()
}

/// Shows each count beside its budget. Only those that were made with the same compiler can be compared.
fn judge(cost: Cost, counts: &[Count]) -> ExitCode {
    let comparison = Budget::read(cost).compare(&Toolchain::here(), counts);
    print!("{comparison}");
    if comparison.fails() {
        println!("If that is wanted and worth it: script/{} --accept", cost.name());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
