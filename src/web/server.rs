//! The HTTP server: listeners, workers, and a pool of connections for each worker.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::Request;
use actix_service::apply_fn_factory;
use actix_web::dev::{Response, Server, ServerHandle, Service};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use futures_util::future::{Either, TryFutureExt, ready};

use super::arriving::Arriving;
use super::connections::{Connection, cut_resting};
use super::documents::Documents;
use super::limits::Limits;
use super::load::Load;
use super::middleware::request_log::log_request;
use super::middleware::{close_with_unread_body, hold_connection};
use super::tls::{self, TlsError};
use super::{metrics_listener, routes};
use tokio::net::TcpSocket;

use crate::app::{App, Shared};
use crate::config::Config;
use crate::store::Stores;
use crate::telemetry::metrics::Metrics;

/// Connections kept for jobs.
pub const JOB_CONNECTIONS: u32 = 3;

/// Fewer connections than this make a worker wait for itself.
pub const LEAST_CONNECTIONS_PER_WORKER: u32 = 2;

/// Requests that a worker has in work at most. Those at the end of the line for the database wait for the time of
/// all before them; more would wait for nothing.
const MOST_IN_WORK: usize = 512;

/// What bodies that are arriving hold of a worker's memory, in bytes: some hundreds of the longest.
const MOST_ARRIVING: usize = 16 * 1024 * 1024;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4_096;

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server itself.
    #[error("the HTTP server failed: {0}")]
    Http(#[source] io::Error),
}

/// An address that is taken, and where nobody is answered yet.
pub struct Bound {
    socket: TcpSocket,
    /// Where it will listen.
    pub address: SocketAddr,
}

/// Takes the configured address. Nobody is let in before everything else is ready.
pub fn bind(address: SocketAddr) -> Result<Bound, ServerError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What is left of former connections is no reason not to listen again.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Bound { address: socket.local_addr()?, socket })
    };
    bind().map_err(|source| ServerError::Listen { address, source })
}

impl Bound {
    fn listen(self) -> Result<TcpListener, ServerError> {
        let address = self.address;
        let listener = self.socket.listen(BACKLOG).and_then(tokio::net::TcpListener::into_std);
        listener.map_err(|source| ServerError::Listen { address, source })
    }
}

/// A server that accepts requests.
pub struct Running {
    server: tokio::task::JoinHandle<io::Result<()>>,
    handle: ServerHandle,
}

impl Running {
    /// Closes the listener and ends what has begun, at most within `server.shutdown_timeout`.
    pub async fn stop(self) -> Result<(), ServerError> {
        self.handle.stop(true).await;
        match self.server.await {
            Ok(result) => result.map_err(ServerError::Http),
            Err(join) => Err(ServerError::Http(io::Error::other(join))),
        }
    }
}

/// Starts the server.
pub fn start(bound: Bound, shared: Arc<Shared>, stores: Stores) -> Result<Running, ServerError> {
    let config = shared.config.clone();
    let (workers, connections) = workers(&config);
    let database = &config.database;
    let stores = stores.for_requests(database.statement_timeout, database.acquire_timeout / 2);
    let limits = Data::new(Limits::new(&config.limits));
    let factory_config = config.clone();
    let http = HttpServer::new(move || {
        let store = stores.store(connections, factory_config.database.acquire_timeout);
        let load = Load::new(MOST_IN_WORK);
        actix_web::rt::spawn(Load::watch(Rc::downgrade(&load)));
        actix_web::rt::spawn(cut_resting(factory_config.server.keep_alive + HEAD_TIMEOUT));
        let documents = Documents::new(Arc::clone(&shared));
        let app = ActixApp::new()
            .app_data(load)
            .app_data(Arriving::new(MOST_ARRIVING))
            .app_data(Data::new(App::new(Arc::clone(&shared), store)))
            .app_data(Rc::clone(&documents))
            .app_data(limits.clone())
            .wrap(from_fn(close_with_unread_body))
            .wrap(from_fn(hold_connection))
            .wrap(from_fn(log_request))
            .configure(routes::configure);
        apply_fn_factory(app, move |mut request: Request, app| match documents.answer(&mut request) {
            Some(response) => Either::Left(ready(Ok(response))),
            None => Either::Right(app.call(request).map_ok(Response::from)),
        })
    })
    .on_connect(Connection::enter)
    .workers(workers)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(config.server.keep_alive)
    .shutdown_timeout(config.server.shutdown_timeout.as_secs())
    .disable_signals();
    let http = match (&config.server.tls_cert, &config.server.tls_key) {
        (Some(certificate), Some(key)) => {
            let tls = tls::server_config(certificate.clone(), key.clone())?;
            http.listen_rustls_0_23(bound.listen()?, tls)
        }
        // HTTP/1.1 alone: telling HTTP/2 apart without TLS waits for the first bytes, and for ever if none come.
        _ => http.listen(bound.listen()?),
    };
    Ok(running(http.map_err(ServerError::Http)?.run()))
}

fn running(server: Server) -> Running {
    let handle = server.handle();
    Running { server: tokio::spawn(server), handle }
}

/// Starts `/metrics` on its own listener. Where nobody chose the address and it is taken, the server does
/// without: several servers on one machine must not stand in each other's way.
pub fn start_metrics(config: &Config, metrics: Metrics) -> Result<Option<ServerHandle>, ServerError> {
    let address = config.server.metrics_listen;
    match metrics_listener::start(address, metrics) {
        Ok(server) => {
            let handle = server.handle();
            tokio::spawn(server);
            Ok(Some(handle))
        }
        Err(error) if !config.server.metrics_listen_given => {
            tracing::warn!(%address, error = error.to_string(), "no /metrics: set server.metrics_listen");
            Ok(None)
        }
        Err(source) => Err(ServerError::Listen { address, source }),
    }
}

/// Workers, and connections for each: what jobs leave is divided, and a worker more is no use without two.
fn workers(config: &Config) -> (usize, u32) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = config.server.workers.unwrap_or(cores);
    let available = config.database.max_connections.saturating_sub(JOB_CONNECTIONS);
    let affordable = (available / LEAST_CONNECTIONS_PER_WORKER).max(1);
    let workers = u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, affordable);
    (workers as usize, (available / workers).max(1))
}
