//! R3: PostgreSQL is restarted in mid-load.

use std::time::Duration;

use crate::history::Event;
use crate::load::{Load, Traffic};
use crate::measure::{count, is_defect};
use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::Site;

const WINDOW: Duration = Duration::from_secs(30);

/// Connections that PostgreSQL has cut are found one by one.
const REFILLING: Duration = Duration::from_secs(1);

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[]);
    let server = site.start().await;
    let load = Load::start(&site, Traffic::at(vec![server.origin.clone()])).await;
    let (mut spans, mut outages) = (Vec::new(), Vec::new());
    for _ in 0..scale.of(1, 5, 10) {
        tokio::time::sleep(Duration::from_millis(900)).await;
        let began = load.now();
        let outage = tokio::task::block_in_place(|| site.postgres.restart());
        tokio::time::sleep(REFILLING * 2).await;
        spans.push((began, began + outage + REFILLING));
        outages.push(outage);
    }
    let aftermath = load.end(WINDOW).await;
    let in_span =
        |event: &&Event| spans.iter().any(|(begin, end)| event.end >= *begin && event.begin <= *end);
    let failed = || aftermath.history.iter().filter(|event| event.outcome.is_open());
    let longest = spans.iter().map(|(begin, end)| {
        let last = failed()
            .filter(|event| event.begin >= *begin && event.begin <= *end)
            .map(|event| event.end)
            .max();
        last.unwrap_or(*begin) - *begin
    });
    report.told("restarts", spans.len());
    report.told("PostgreSQL away, longest", in_words(outages.iter().copied().max().unwrap()));
    report.within(
        "requests fail for",
        longest.max().unwrap(),
        scale.bar(outages.iter().copied().max().unwrap() + REFILLING),
    );
    report.exactly("failed outside of that", failed().filter(|event| !in_span(event)).count(), 0);
    report.exactly(
        "answers that are neither right nor 503 with Retry-After",
        count(&aftermath.history, is_defect),
        0,
    );
    aftermath.report(&mut report);
    report.exactly("panics", site.panics(), 0);
    drop(server);
    report
}
