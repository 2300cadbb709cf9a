//! R2: PostgreSQL loses a backend, then everything at once.

use std::time::Duration;

use crate::load::{Load, Traffic};
use crate::measure::{between, count, is_defect, longest, took};
use crate::report::Report;
use crate::scale::Scale;
use crate::site::Site;

const WINDOW: Duration = Duration::from_secs(30);

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[]);
    let server = site.start().await;
    let load = Load::start(&site, Traffic::at(vec![server.origin.clone()])).await;

    let mut recoveries = Vec::new();
    for _ in 0..scale.of(1, 3, 5) {
        tokio::time::sleep(Duration::from_millis(700)).await;
        site.postgres.kill_backend().await;
        // All backends end with it, and PostgreSQL starts anew by itself.
        let accepts = accepts_again(&site, &load).await;
        recoveries.push(load.success_after(accepts).await - accepts);
    }
    report.within(
        "first 200 after a backend was killed",
        longest(recoveries),
        scale.bar(Duration::from_secs(2)),
    );

    let mut recoveries = Vec::new();
    for _ in 0..scale.of(1, 2, 5) {
        tokio::time::sleep(Duration::from_millis(700)).await;
        site.postgres.quit();
        let away = load.now();
        tokio::time::sleep(scale.seconds(1.0, 4.0, 8.0)).await;
        let history = between(&load.history(), away, load.now());
        let refused = count(&history, |outcome| outcome.is_open());
        report.at_least("answers without a database", refused, 1);
        let waits = history.iter().map(took);
        report.within("… each within", longest(waits), scale.bar(Duration::from_millis(2_100)));
        site.postgres.start_again();
        let accepts = load.now();
        recoveries.push(load.success_after(accepts).await - accepts);
    }
    report.within(
        "first 200 after PostgreSQL accepts",
        longest(recoveries),
        scale.bar(Duration::from_secs(2)),
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    let aftermath = load.end(WINDOW).await;
    report.exactly(
        "answers that are neither right nor 503 with Retry-After",
        count(&aftermath.history, is_defect),
        0,
    );
    aftermath.report(&mut report);
    report.exactly("sessions lost", aftermath.verdict.lost_with_their_answer, 0);
    report.exactly("panics", site.panics(), 0);
    report.must("the same process serves", server.ready().await > Duration::ZERO);
    report
}

/// When PostgreSQL accepts connections after a crash that it recovers from alone.
async fn accepts_again(site: &Site, load: &Load) -> Duration {
    use sqlx::{Connection, PgConnection};
    // It takes a moment to notice.
    tokio::time::sleep(Duration::from_millis(20)).await;
    loop {
        if let Ok(connection) = PgConnection::connect_with(&site.postgres.options()).await {
            let _ = connection.close().await;
            return load.now();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
