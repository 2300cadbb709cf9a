//! `grantor serve`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::context::{open_database, prepare};
use super::output::{note, say};
use super::{CommandError, GlobalOptions, demo};
use crate::app::Shared;
use crate::clients::Registry;
use crate::config::{Config, DatabaseSource};
use crate::jobs::Jobs;
use crate::keys::{KeyOperations, Keys, MasterKeys, Pseudonyms, open_master_keys};
use crate::model::{AuditEvent, AuditEventKind, Details};
use crate::store::{Database, Store};
use crate::telemetry::logs;
use crate::telemetry::metrics::Metrics;
use crate::time::Timestamp;
use crate::users::{Cost, PasswordHasher};
use crate::web::server;

/// How long jobs may take to end.
const LAST_JOBS: Duration = Duration::from_millis(400);

pub(super) const ABOUT: &str = "Run the server until SIGTERM or Ctrl-C.

With nothing configured it keeps a private PostgreSQL in the state directory,
makes a demo app and a demo user, and listens on http://localhost:8080. One line
on standard output begins with `ready: ` when it accepts requests.

Examples:
  grantor serve
  grantor serve --listen 127.0.0.1:9000 --state-dir ./state
  DATABASE_URL=postgres://db/grantor \\
      grantor serve --issuer https://id.example.com";

#[derive(Debug, Default, Args)]
pub(super) struct Options {
    /// Accept requests here
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// The issuer: the address that apps and people know this server by
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Speak TLS with this certificate chain in PEM; it is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<String>,
    /// The private key of the TLS certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<String>,
}

/// Runs the server until SIGTERM or SIGINT.
pub(super) async fn run(options: Options, global: &GlobalOptions) -> Result<(), CommandError> {
    let config = load_config(options, global)?;
    logs::init(&config.log).map_err(|error| CommandError::new("server_error", error))?;
    let stop = StopSignals::listen()?;
    let database = open_database(&config)?;
    let served = serve(config, &database, stop).await;
    let closed = database.close();
    served?;
    Ok(closed?)
}

fn load_config(options: Options, global: &GlobalOptions) -> Result<Config, CommandError> {
    let mut overrides = global.overrides();
    overrides.listen = options.listen;
    overrides.issuer = options.issuer;
    overrides.tls_cert = options.tls_cert;
    overrides.tls_key = options.tls_key;
    Ok(Config::load(&overrides)?)
}

async fn serve(config: Config, database: &Database, mut stop: StopSignals) -> Result<(), CommandError> {
    // A database that answers slowly, or a long migration, does not keep anybody from stopping.
    let (store, master_keys) = tokio::select! {
        opened = open(&config, database) => opened?,
        _ = stop.next() => return Ok(()),
    };
    raise_file_limit();
    let bound = server::bind(config.server.listen)?;
    let config = config.with_bound_port(bound.address.port());
    let metrics = Metrics::install().map_err(|error| CommandError::new("server_error", error))?;
    let shared = Arc::new(shared(config, &store, master_keys).await?);
    let metrics = server::start_metrics(&shared.config, metrics)?;
    let jobs = Jobs::start(store.clone(), Arc::clone(&shared));
    let running = server::start(bound, Arc::clone(&shared), database.stores())?;
    let version = Details::Release { version: env!("CARGO_PKG_VERSION") };
    store.record(AuditEvent::new(AuditEventKind::ServerStarted).with(version)).await?;
    say(&format!("ready: {}", shared.config.issuer));

    let drain_delay = stop.next().await.drain_delay(&shared.config);
    note("stopping: ending what has begun");
    let ending = async {
        shared.drain();
        tokio::time::sleep(drain_delay).await;
        running.stop().await?;
        if let Some(metrics) = metrics {
            metrics.stop(false).await;
        }
        // A job that is cut off runs again elsewhere; the database may be what does not answer.
        let _ = tokio::time::timeout(LAST_JOBS, jobs.stop()).await;
        store.close();
        Ok(())
    };
    tokio::select! {
        ended = ending => ended,
        _ = stop.next() => {
            note("stopping at once");
            Ok(())
        }
    }
}

/// The database, ready for this release, and the master keys, which fit it.
async fn open(config: &Config, database: &Database) -> Result<(Store, Arc<MasterKeys>), CommandError> {
    let listed = prepare(config, database).await?;
    let store = database.store(server::JOB_CONNECTIONS, config.database.acquire_timeout);
    store.ensure_audit_partitions().await?;
    let master_keys = Arc::new(open_master_keys(&store, listed).await?);
    store.ensure_partitions(config.tokens.refresh_absolute_lifetime).await?;
    Ok((store, master_keys))
}

async fn shared(config: Config, store: &Store, master_keys: Arc<MasterKeys>) -> Result<Shared, CommandError> {
    let token_lifetime = config.tokens.longest_signed_lifetime();
    KeyOperations::new(store, &master_keys, config.keys.jwks_max_age, token_lifetime)
        .maintain(config.keys.rotate_every, Timestamp::now())
        .await?;
    let registry = Registry::load(store).await?;
    let now = registry.database_time();
    let keys = Keys::load(store, Arc::clone(&master_keys), token_lifetime, now).await?;
    let pseudonyms = Pseudonyms::load(store, &master_keys).await?;
    let passwords = PasswordHasher::start(config.passwords.threads, Cost::from(&config.passwords))?;
    let demo = if config.database.source == DatabaseSource::Embedded {
        demo::seed(&config, store, &master_keys, &passwords).await?
    } else {
        None
    };
    Ok(Shared::new(config, master_keys, keys, pseudonyms, registry, passwords, demo))
}

/// Each connection needs a descriptor or two, and the usual soft limit is from another age.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// The signals that end a server.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

/// Who asks for the end.
enum Stop {
    /// SIGTERM: a supervisor, behind whom there may be a load balancer.
    Terminate,
    /// SIGINT: a person at a terminal.
    Interrupt,
}

impl StopSignals {
    fn listen() -> Result<Self, CommandError> {
        let listen = |kind| signal(kind).map_err(|error| CommandError::new("server_error", error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// The next one.
    async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.terminate.recv() => Stop::Terminate,
            _ = self.interrupt.recv() => Stop::Interrupt,
        }
    }
}

impl Stop {
    /// How long requests are still taken.
    fn drain_delay(&self, config: &Config) -> Duration {
        match self {
            Self::Terminate => config.server.drain_delay,
            Self::Interrupt => Duration::ZERO,
        }
    }
}
