//! R18: three times as much as the server can do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::measure::processor_time;
use crate::offer::{Request, Result, peak, press, result};
use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::Site;

/// Of the clients that together ask for too much.
const CONNECTIONS: u32 = 4_000;

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    // One worker: what asks has the other processors, and can ask for more than that one can do.
    let site = Site::new(&[("GRANTOR_SERVER_WORKERS", "1")]);
    let server = site.start().await;
    let machine = ["client", "create", "--name", "Machine", "--grant", "client_credentials"];
    let machine = site.json(&machine, "");
    let text = |name: &str| machine[name].as_str().unwrap().to_owned();
    let (id, secret, url) = (text("client_id"), text("client_secret"), format!("{}/token", server.origin));
    let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).build().unwrap();
    let request: Request = Arc::new(move || {
        let form = [("grant_type", "client_credentials")];
        let asked = http.post(&url).basic_auth(&id, Some(&secret)).form(&form).send();
        Box::pin(async move { result(asked.await, 200) })
    });

    peak(&request, 16, Duration::from_secs(1)).await;
    let share_of_processor = |began: Instant, before: Duration| {
        let used = processor_time(server.id()).saturating_sub(before);
        format!("{:.2}", used.as_secs_f64() / began.elapsed().as_secs_f64())
    };
    let (began, before) = (Instant::now(), processor_time(server.id()));
    let capacity = peak(&request, 16, scale.seconds(2.0, 5.0, 20.0)).await;
    report.told("tokens a second, 16 clients", format!("{capacity:.0}"));
    report.told("… processors that the server had meanwhile", share_of_processor(began, before));
    let length = scale.seconds(3.0, 20.0, 60.0);
    let (mut began, mut before) = (Instant::now(), Duration::ZERO);
    let begins = || (began, before) = (Instant::now(), processor_time(server.id()));
    let offered = press(&request, CONNECTIONS, capacity * 3.0, length, begins).await;
    let offered_rate = offered.answers.len() as f64 / length.as_secs_f64();
    let goodput = offered.count(Result::Good) as f64 / began.elapsed().as_secs_f64();
    let processors = share_of_processor(began, before);
    let ended = Instant::now();
    let recovered = loop {
        let asked = Instant::now();
        if request().await == Result::Good && asked.elapsed() < Duration::from_millis(100) {
            break ended.elapsed();
        }
    };
    report.told("offered a second", format!("{offered_rate:.0} for {}", in_words(length)));
    report.told("… processors that the server had meanwhile", processors);
    report.share("given, of what can be given", goodput / capacity, scale.of(0.4, 0.8, 0.8));
    report.told("refused by 503 or 429", offered.count(Result::Refused));
    report.exactly("neither given nor refused", offered.count(Result::Failed), 0);
    report.told("those given: median", in_words(offered.quantile(0.5)));
    report.within("those given: p99", offered.quantile(0.99), scale.bar(Duration::from_secs(2)));
    report.within("as quick as before after", recovered, scale.bar(Duration::from_secs(5)));
    report.exactly("panics", site.panics(), 0);
    report
}
