//! R9: SIGTERM under load, behind a load balancer with two processes, one after the other.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::haproxy::Haproxy;
use crate::harness::free_port;
use crate::load::{Load, Traffic};
use crate::measure::longest;
use crate::report::{Report, in_words};
use crate::scale::Scale;
use crate::site::{Process, Site};

const WINDOW: Duration = Duration::from_secs(30);

/// How long the request takes that was begun before the listener closes.
const SLOW: Duration = Duration::from_secs(3);

pub async fn run(scale: Scale) -> Report {
    let Some(program) = Haproxy::program() else {
        return Report::skipped("haproxy is missing: install it (on Debian: apt-get install haproxy)");
    };
    let mut report = Report::default();
    let site = Site::new(&[]);
    let ports = [free_port(), free_port()];
    let mut processes = ports.map(|port| Some(site.spawn_at(port, &[])));
    for process in processes.iter().flatten() {
        process.ready().await;
    }
    let _haproxy = Haproxy::start(&program, site.port, &ports);
    let front = format!("http://127.0.0.1:{}", site.port);
    until_answered(&front).await;
    let load = Load::start(&site, Traffic::at(vec![front])).await;

    let (mut endings, mut exits_are_good, mut ready_first, mut slow_ones) = (Vec::new(), true, true, 0);
    let replacements = scale.of(1, 4, 20);
    for number in 0..replacements {
        let turn = number % 2;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut process = processes[turn].take().unwrap();
        let asked = Instant::now();
        process.signal(Signal::SIGTERM);
        let slow =
            tokio::spawn(slow_request(ports[turn], site.client_id.clone(), site.client_secret.clone()));
        ready_first &= says_not_ready_and_serves_on(&process).await;
        exits_are_good &= process.ended().await == Some(0);
        endings.push(asked.elapsed());
        slow_ones += usize::from(slow.await.unwrap());
        let again = site.spawn_at(ports[turn], &[]);
        again.ready().await;
        processes[turn] = Some(again);
        // Until the load balancer has seen it.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
    }
    let pages_failed = load.app().journal.failed_pages();
    let aftermath = load.end(WINDOW).await;
    let failed = aftermath.history.iter().filter(|event| event.outcome.is_open()).count();
    report.told("processes replaced", replacements);
    report.exactly("failed requests", failed + pages_failed, 0);
    report.must("readiness goes first, and requests are served on meanwhile", ready_first);
    report.exactly(&format!("requests of {} that were completed", in_words(SLOW)), slow_ones, replacements);
    report.must("exit 0 each time", exits_are_good);
    report.within("ended after SIGTERM, longest", longest(endings), scale.bar(Duration::from_secs(10)));
    aftermath.report(&mut report);
    report.exactly("panics", site.panics(), 0);
    report
}

async fn until_answered(origin: &str) {
    let began = Instant::now();
    while !reqwest::get(format!("{origin}/health/ready")).await.is_ok_and(|answer| answer.status() == 200) {
        assert!(began.elapsed() < Duration::from_secs(20), "haproxy does not lead to a process");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether it says 503 to the load balancer, while a new connection still gets an answer.
async fn says_not_ready_and_serves_on(process: &Process) -> bool {
    for _ in 0..50 {
        let status = async |path: &str| {
            reqwest::get(format!("{}{path}", process.origin))
                .await
                .map(|answer| answer.status().as_u16())
                .ok()
        };
        if status("/health/ready").await == Some(503) {
            return status("/.well-known/jwks.json").await == Some(200);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// A request whose body is three seconds on its way: it begins before the listener closes, and ends after. Whether
/// it was answered as it should be.
async fn slow_request(port: u16, client_id: String, client_secret: String) -> bool {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("token", "unknown"), ("client_id", &client_id), ("client_secret", &client_secret)])
        .finish();
    let head = format!(
        "POST /introspect HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        body.len()
    );
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let (begin, end) = body.split_at(body.len() / 2);
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(begin.as_bytes()).await?;
        tokio::time::sleep(SLOW).await;
        stream.write_all(end.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    sent.await
        .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.contains(r#"{"active":false}"#))
}
