//! What could move the database's limit, each by turns with the database as it is.

use std::time::Duration;

use serde::Serialize;

use super::groups::Group;
use super::{Run, Stage, median};
use crate::limits::pgbench::scripts::Script;
use crate::limits::pgbench::{PgBench, Work};

/// What came of a change.
#[derive(Debug, Serialize)]
pub struct Moved {
    pub lever: String,
    /// What was measured with and without it.
    pub work: String,
    pub without: f64,
    pub with: f64,
    pub ratio: f64,
}

/// Settings of PostgreSQL that all its sessions take over at once.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("commits that wait for no disk", "synchronous_commit", "off"),
    ("group commit", "commit_delay", "100"),
    ("compressed page images in the log", "wal_compression", "on"),
];

/// The rows that write.
const WRITING: [&str; 2] = ["code", "refresh"];

/// pgbench says nothing of a time in which nothing was done.
const SHORTEST: Duration = Duration::from_secs(2);

/// The row that asks the database for nothing.
const WITHOUT_DATABASE: &str = "client_credentials";

/// Measures all levers but those that need another program.
pub async fn measure(run: &mut Run) -> Vec<Moved> {
    let mut moved = Vec::new();
    for (name, setting, value) in SETTINGS {
        let lever = format!("{name} ({setting} = {value})");
        eprintln!("{lever}");
        moved.extend(run.setting(&lever, setting, value).await);
    }
    moved.push(run.statements().await);
    moved.extend(run.isolation().await);
    moved
}

impl Run {
    /// A setting of the database, under Grantor and under pgbench with the same statements.
    async fn setting(&mut self, lever: &str, setting: &str, value: &str) -> Vec<Moved> {
        let group = Group::start(&self.stage.site, 1, &[]);
        let mut moved = Vec::new();
        for lane in 0..self.lanes.len() {
            let row = self.lanes[lane].row;
            if !WRITING.contains(&row) {
                continue;
            }
            self.warm_up(lane, &group).await;
            let mut rounds = Vec::new();
            for _ in 0..self.stage.options.rounds {
                let without = self.turn(lane, &group).await;
                self.stage.site.set(setting, Some(value)).await;
                let with = self.turn(lane, &group).await;
                self.stage.site.set(setting, None).await;
                rounds.push([without, with]);
            }
            moved.push(Moved::of(lever, &format!("Grantor, {row}"), &rounds));
        }
        for work in [Work::CodeRedemption, Work::RefreshRotation] {
            let bench = PgBench::new(work, &self.stage.site).await;
            let mut rounds = Vec::new();
            for _ in 0..self.stage.options.rounds {
                let without = self.alone(&bench).await;
                self.stage.site.set(setting, Some(value)).await;
                let with = self.alone(&bench).await;
                self.stage.site.set(setting, None).await;
                rounds.push([without, with]);
            }
            moved.push(Moved::of(lever, &format!("PostgreSQL alone, {work:?}"), &rounds));
        }
        moved
    }

    /// The textbook's way to rotate: a transaction that locks the row after it has looked, five statements for two.
    async fn statements(&self) -> Moved {
        let lever = "a transaction of five statements for two statements";
        eprintln!("{lever}");
        let Stage { site, population, options, .. } = &self.stage;
        let bench = PgBench::new(Work::RefreshRotation, site).await;
        let mut rounds = Vec::new();
        for _ in 0..options.rounds {
            let mut script = Script::refresh_rotation(population).expect("the statements are there");
            let without = self.scripted(&bench, &script).await;
            let lock = "SELECT id FROM grants WHERE id = (:look_id)::uuid FOR UPDATE;\n\\set next ";
            script.text = format!("BEGIN;\n{}COMMIT;\n", script.text.replace("\\set next ", lock));
            rounds.push([without, self.scripted(&bench, &script).await]);
        }
        Moved::of(lever, "PostgreSQL alone, RefreshRotation", &rounds)
    }

    async fn scripted(&self, bench: &PgBench, script: &Script) -> f64 {
        let connections = self.stage.options.connections as u64;
        let duration = self.duration().max(SHORTEST);
        let rate = bench.start(&self.stage.site, script, connections, duration, None).await;
        rate.expect("pgbench runs").per_second
    }

    /// The other isolation level, which Grantor sets itself.
    async fn isolation(&mut self) -> Vec<Moved> {
        let site = &self.stage.site;
        let usual = Group::start(site, 1, &[]);
        let other = Group::start(site, 1, &[("GRANTOR_DATABASE_ISOLATION", "serializable")]);
        self.compare("database.isolation = serializable", &usual, &other).await
    }

    /// Each row with one group and with another.
    pub(super) async fn compare(&mut self, lever: &str, usual: &Group, other: &Group) -> Vec<Moved> {
        self.begin(lever).await;
        let mut moved = Vec::new();
        for lane in 0..self.lanes.len() {
            let row = self.lanes[lane].row;
            if row == WITHOUT_DATABASE {
                continue;
            }
            let rounds = self.by_turns(lane, &[usual, other]).await;
            let rounds: Vec<_> = rounds.iter().map(|round| [round[0], round[1]]).collect();
            moved.push(Moved::of(lever, &format!("Grantor, {row}"), &rounds));
        }
        moved
    }

    /// What PostgreSQL does alone with the statements of a request.
    async fn alone(&self, bench: &PgBench) -> f64 {
        let connections = self.stage.options.connections as u64;
        let rate = bench.run(&self.stage.site, &self.stage.population, connections, self.duration()).await;
        rate.expect("pgbench runs").per_second
    }
}

impl Moved {
    pub(super) fn of(lever: &str, work: &str, rounds: &[[f64; 2]]) -> Self {
        let of = |column: usize| median(rounds.iter().map(|round| round[column]));
        Self {
            lever: lever.to_owned(),
            work: work.to_owned(),
            without: of(0),
            with: of(1),
            ratio: median(rounds.iter().map(|[without, with]| with / without)),
        }
    }
}
