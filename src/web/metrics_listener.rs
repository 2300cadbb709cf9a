//! `/metrics` on a listener of its own, which the public does not reach.

use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::telemetry::metrics::Metrics;

/// Starts the listener.
pub fn start(address: SocketAddr, metrics: Metrics) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        let metrics = metrics.clone();
        App::new().route("/metrics", web::get().to(move || std::future::ready(rendered(&metrics))))
    });
    Ok(server.workers(1).disable_signals().bind(address)?.run())
}

fn rendered(metrics: &Metrics) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
