//! R20: ten faults in one history, over two processes, and the checker's judgement of all of it.

use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::{Connection, Executor};

use crate::harness::{WrongClock, free_port};
use crate::load::{Load, Traffic};
use crate::measure::{count, is_defect};
use crate::proxy::{Proxy, Way};
use crate::report::Report;
use crate::scale::Scale;
use crate::site::{Process, Site};

/// What is done to the installation, one after the other.
const FAULTS: [Fault; 10] = [
    Fault::KillFirst,
    Fault::KillBackend,
    Fault::PauseFirst,
    Fault::LockGrants,
    Fault::CutSecond,
    Fault::KillSecond,
    Fault::RestartPostgres,
    Fault::SetClockBack,
    Fault::QuitPostgres,
    Fault::ReplaceSecond,
];

#[derive(Debug, Clone, Copy)]
enum Fault {
    KillFirst,
    KillSecond,
    /// It stands still with requests in its hands, and goes on.
    PauseFirst,
    /// SIGTERM, and another in its place.
    ReplaceSecond,
    KillBackend,
    QuitPostgres,
    RestartPostgres,
    /// Another session keeps everybody from writing.
    LockGrants,
    /// Its way to the database swallows everything.
    CutSecond,
    /// The clock of the second process is set back, which does not hinder it from issuing tokens that are good.
    SetClockBack,
}

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let rounds = scale.of(1, 2, 10);
    report.told("runs of ten faults each", rounds);
    for round in 0..rounds {
        // With the window, and without.
        let window = if round % 2 == 0 { 30 } else { 0 };
        history(scale, Duration::from_secs(window), &mut report).await;
    }
    report
}

async fn history(scale: Scale, window: Duration, report: &mut Report) {
    let reuse_window = format!("{}s", window.as_secs());
    let site = Site::new(&[
        ("GRANTOR_TOKENS_REFRESH_REUSE_WINDOW", &reuse_window),
        ("GRANTOR_SERVER_DRAIN_DELAY", "1s"),
    ]);
    let mut scene = Scene::of(&site).await;
    let traffic = Traffic::at(vec![scene.first.origin.clone(), scene.second.origin.clone()]);
    let load = Load::start(&site, traffic).await;
    for fault in FAULTS {
        tokio::time::sleep(scale.seconds(0.4, 1.0, 3.0)).await;
        scene.strike(fault).await;
        load.success_after(load.now()).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let aftermath = load.end(window).await;
    report.told("the window", reuse_window);
    aftermath.report(report);
    let lost = aftermath.verdict.lost_with_their_answer;
    match window.is_zero() {
        true => report.told("sessions lost with their answer", lost),
        false => report.exactly("sessions lost", lost, 0),
    }
    report.exactly("answers that no fault excuses", count(&aftermath.history, is_defect), 0);
    report.exactly("panics", site.panics(), 0);
}

struct Scene<'a> {
    site: &'a Site,
    proxy: Proxy,
    clock: Option<WrongClock>,
    second_port: u16,
    first: Process,
    second: Process,
}

impl<'a> Scene<'a> {
    async fn of(site: &'a Site) -> Self {
        let (proxy, clock, second_port) = (Proxy::before(&site.postgres), WrongClock::new(), free_port());
        let first = site.start().await;
        let second = second(site, &proxy, clock.as_ref(), second_port);
        second.ready().await;
        Self { site, proxy, clock, second_port, first, second }
    }

    async fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::KillFirst => {
                self.first.kill();
                self.first = self.site.start().await;
            }
            Fault::KillSecond => {
                self.second.kill();
                self.start_second().await;
            }
            Fault::ReplaceSecond => {
                self.second.signal(Signal::SIGTERM);
                self.second.ended().await;
                self.start_second().await;
            }
            Fault::PauseFirst => {
                self.first.signal(Signal::SIGSTOP);
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                self.first.signal(Signal::SIGCONT);
            }
            Fault::KillBackend => self.site.postgres.kill_backend().await,
            Fault::QuitPostgres => {
                self.site.postgres.quit();
                tokio::time::sleep(Duration::from_millis(700)).await;
                self.site.postgres.start_again();
            }
            Fault::RestartPostgres => drop(tokio::task::block_in_place(|| self.site.postgres.restart())),
            Fault::LockGrants => {
                let mut holder = self.site.postgres.connect().await;
                holder.execute("BEGIN; LOCK TABLE grants IN SHARE MODE").await.unwrap();
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                holder.close().await.unwrap();
            }
            Fault::CutSecond => {
                self.proxy.set(Way::Hole);
                tokio::time::sleep(Duration::from_millis(1_500)).await;
                self.proxy.set(Way::Delayed(Duration::ZERO));
            }
            Fault::SetClockBack => {
                if let Some(clock) = &self.clock {
                    clock.set(-120);
                }
            }
        }
    }

    async fn start_second(&mut self) {
        self.second = second(self.site, &self.proxy, self.clock.as_ref(), self.second_port);
        // One whose clock is two minutes behind is never ready.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn second(site: &Site, proxy: &Proxy, clock: Option<&WrongClock>, port: u16) -> Process {
    let mut variables = vec![("DATABASE_URL", proxy.url())];
    variables.extend(clock.into_iter().flat_map(WrongClock::variables));
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    site.spawn_at(port, &variables)
}
