//! `/metrics` on a listener of its own, which the public does not reach.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::telemetry::metrics::Metrics;

/// Until then each sample of a histogram is kept by itself, 24 bytes of it.
const UPKEEP: Duration = Duration::from_millis(500);

/// Starts the listener. Metrics are taken in even if nobody asks for them.
pub fn start(address: SocketAddr, metrics: Metrics) -> std::io::Result<Server> {
    let upkeep = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    let server = HttpServer::new(move || {
        let metrics = metrics.clone();
        App::new().route("/metrics", web::get().to(move || std::future::ready(rendered(&metrics))))
    });
    Ok(server.workers(1).disable_signals().bind(address)?.run())
}

fn rendered(metrics: &Metrics) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
