//! R1: `kill -9` of the server, again and again.

use std::time::Duration;

use crate::load::{Load, Traffic};
use crate::measure::{longest, quantile};
use crate::report::Report;
use crate::scale::Scale;
use crate::site::Site;

const WINDOW: Duration = Duration::from_secs(30);

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[]);
    let mut server = site.start().await;
    let load = Load::start(&site, Traffic::at(vec![server.origin.clone()])).await;
    let (kills, mut starts) = (scale.of(2, 10, 10), Vec::new());
    for number in 0..kills {
        // At another moment of the clients' lives each time.
        tokio::time::sleep(Duration::from_millis(600 + 137 * number)).await;
        server.kill();
        server = site.spawn();
        starts.push(server.ready().await);
    }
    load.success_after(load.now()).await;
    let aftermath = load.end(WINDOW).await;

    report.told("kills", kills);
    aftermath.report(&mut report);
    report.exactly("sessions lost", aftermath.verdict.lost_with_their_answer, 0);
    report.told("first 200 after the start, median", crate::report::in_words(quantile(starts.clone(), 0.5)));
    report.within("first 200 after the start, longest", longest(starts), scale.bar(Duration::from_secs(1)));
    report.exactly("panics", site.panics(), 0);
    report
}
