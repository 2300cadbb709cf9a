//! R5: the way to the database becomes slow, then swallows everything.

use std::time::{Duration, Instant};

use crate::history::Event;
use crate::load::{Load, Traffic};
use crate::measure::{
    between, count, is_defect, longest, open_files, quantile, resident_kib, throughput, took,
};
use crate::proxy::{Proxy, Way};
use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::Site;

const WINDOW: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements of a refresh: look and write. Where a look at the installation's version takes so long that what is
/// remembered of clients is no longer trusted when it comes back, the client is read as well.
fn statements(delay: Duration) -> u32 {
    if delay >= Duration::from_secs(1) { 3 } else { 2 }
}

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[]);
    let proxy = Proxy::before(&site.postgres);
    let server = site.spawn_at(site.port, &[("DATABASE_URL", &proxy.url())]);
    server.ready().await;
    let mut traffic = Traffic::at(vec![server.origin.clone()]);
    (traffic.refreshes, traffic.ends, traffic.introspects) = (usize::MAX, false, false);
    (traffic.clients, traffic.pause) = (8, Duration::from_millis(20));
    let clients = f64::from(8);
    let load = Load::start(&site, traffic).await;
    let span = scale.seconds(2.0, 5.0, 30.0);
    let mut calm = Duration::ZERO;
    for delay in [0, 50, 200, 1_000].map(Duration::from_millis) {
        proxy.set(Way::Delayed(delay));
        // What has begun before, and connections that are made anew, belong to neither.
        tokio::time::sleep(delay * 4 + Duration::from_millis(300)).await;
        let began = load.now();
        // Long enough that a round more or less does not count.
        tokio::time::sleep(span.max(delay * scale.of(3, 15, 30))).await;
        let history = load.history();
        let median = quantile(between(&history, began, load.now()).iter().map(took), 0.5);
        let measured = throughput(&history, began, load.now());
        if delay.is_zero() {
            calm = median;
        }
        let implied = clients / (calm + delay * statements(delay) + Duration::from_millis(22)).as_secs_f64();
        let what = format!(
            "{} ms later: {measured:.0} refreshes a second, of what the delay implies",
            delay.as_millis()
        );
        report.share(&what, measured / implied, scale.of(0.5, 0.8, 0.8));
    }
    proxy.set(Way::Delayed(Duration::ZERO));
    tokio::time::sleep(Duration::from_secs(1)).await;

    let hole = load.now();
    proxy.set(Way::Hole);
    let (length, began) = (scale.seconds(7.0, 20.0, 600.0), Instant::now());
    tokio::time::sleep(length / 4).await;
    let (memory, files) = (resident_kib(server.id()), open_files(server.id()));
    tokio::time::sleep(length.saturating_sub(began.elapsed())).await;
    let (later_memory, later_files) = (resident_kib(server.id()), open_files(server.id()));
    proxy.set(Way::Delayed(Duration::ZERO));
    let restored = load.now();
    let recovered = load.success_after(restored).await - restored;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let aftermath = load.end(WINDOW).await;

    let swallowed: Vec<Event> = between(&aftermath.history, hole, restored)
        .into_iter()
        .filter(|event| event.outcome.is_open())
        .collect();
    report.at_least("answers while everything is swallowed", swallowed.len(), 1);
    report.told("… median", in_words(quantile(swallowed.iter().map(took), 0.5)));
    report.within(
        "… longest",
        longest(swallowed.iter().map(took)),
        scale.bar(REQUEST_TIMEOUT + Duration::from_millis(200)),
    );
    let grown = later_memory.saturating_sub(memory);
    report.told("memory grew meanwhile", format!("{grown} KiB of {memory} KiB"));
    report.must("… by less than 10 MiB", grown < 10 << 10);
    report.must("… and no more files are open", later_files <= files + 10);
    report.within("first 200 after that", recovered, scale.bar(Duration::from_secs(2)));
    let defects = count(&aftermath.history, is_defect);
    report.exactly("answers that are neither right nor 503 with Retry-After", defects, 0);
    aftermath.report(&mut report);
    report.exactly("panics", site.panics(), 0);
    report
}
