//! R4: more clients than connections, and a session that holds the rows that many of them need.

use std::time::Duration;

use sqlx::{Connection, Executor};

use crate::history::Event;
use crate::load::{Load, Traffic};
use crate::measure::{between, count, is_defect, quantile, throughput, took};
use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::{Process, Site};

const WINDOW: Duration = Duration::from_secs(30);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    // Two workers with two connections each, beside the three of the jobs.
    let site = Site::new(&[("GRANTOR_SERVER_WORKERS", "2"), ("GRANTOR_DATABASE_MAX_CONNECTIONS", "7")]);
    let server = site.start().await;
    let mut traffic = Traffic::at(vec![server.origin.clone()]);
    (traffic.clients, traffic.refreshes, traffic.ends) = (scale.of(50, 200, 200), usize::MAX, false);
    traffic.pause = Duration::from_millis(20);
    let load = Load::start(&site, traffic).await;
    let span = scale.seconds(1.5, 4.0, 10.0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let calm = load.now();
    tokio::time::sleep(span).await;
    let locked = load.now();

    // Every second grant is held: far more than there are connections.
    let mut holder = site.postgres.connect().await;
    holder.execute("BEGIN").await.unwrap();
    holder.execute("SELECT FROM grants WHERE get_byte(uuid_send(id), 15) % 2 = 0 FOR UPDATE").await.unwrap();
    let until = load.now() + scale.seconds(4.0, 12.0, 30.0);
    let mut unhealthy = 0;
    while load.now() < until {
        unhealthy += usize::from(!is_healthy(&server).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    holder.execute("ROLLBACK").await.unwrap();
    holder.close().await.unwrap();
    let released = load.now();
    tokio::time::sleep(Duration::from_secs(1) + span).await;
    let again = load.now();
    let aftermath = load.end(WINDOW).await;

    let under = between(&aftermath.history, locked, released);
    let waits: Vec<Duration> = under.iter().map(took).collect();
    report.told("clients", scale.of(50, 200, 200));
    report.told("answers while rows are held, median", in_words(quantile(waits.clone(), 0.5)));
    report.within("… p99", quantile(waits, 0.99), scale.bar(ACQUIRE_TIMEOUT + Duration::from_millis(100)));
    report.told("… answered by 503", count(&under, |outcome| outcome.is_open()));
    report.exactly("health was not 200", unhealthy, 0);
    let before = throughput(&aftermath.history, calm, locked);
    let recovered = recovered_after(&aftermath.history, released, again, before * scale.of(0.3, 0.8, 0.8));
    report.within("… 80 % of that again, after the release", recovered, scale.bar(Duration::from_secs(1)));
    let defects = count(&aftermath.history, is_defect);
    report.exactly("answers that are neither right nor 503 with Retry-After", defects, 0);
    aftermath.report(&mut report);
    report.exactly("panics", site.panics(), 0);
    report
}

/// How long after the release a half second begins that sees so many answers a second.
fn recovered_after(history: &[Event], released: Duration, end: Duration, wanted: f64) -> Duration {
    let slice = Duration::from_millis(500);
    let mut begin = released;
    while begin + slice < end && throughput(history, begin, begin + slice) < wanted {
        begin += slice / 5;
    }
    begin - released
}

async fn is_healthy(server: &Process) -> bool {
    for path in ["/health/live", "/health/ready"] {
        let asked = reqwest::get(format!("{}{path}", server.origin)).await;
        if asked.is_ok_and(|answer| answer.status() == 200) {
            continue;
        }
        return false;
    }
    true
}
