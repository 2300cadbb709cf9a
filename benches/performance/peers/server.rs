//! A peer that runs: a database of its own in the cluster of the site, seeded by SQL, and its processes on the cores
//! of Grantor.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::peer::Peer;
use super::processes::{Processes, proportional_kib};
use crate::load::Target;
use crate::measure::median;
use crate::population::Size;
use crate::process::{Process, free_address};
use crate::site::Site;

/// Starts whose median counts.
pub const STARTS: usize = 3;

/// A peer under measurement. It ends with this value.
pub struct Server {
    pub peer: &'static Peer,
    pub processes: Processes,
    pub size: Size,
    pub version: String,
    /// Seconds from the start of the first process to the first answer.
    pub started_in: f64,
    pub idle_mib: f64,
}

impl Server {
    /// Makes the database anew, and starts the server where it is installed; otherwise `None`.
    pub async fn start(peer: &'static Peer, site: &Site, size: Size) -> Option<Self> {
        let installed = installed(peer);
        // The script writes it last.
        let version = fs::read_to_string(installed.join("installed")).ok()?;
        populate(peer, site, size).await;
        let key = key(site);
        let start = || launch(peer, site, &installed, &key);
        let mut starts: Vec<f64> = (1..STARTS).map(|_| start().started_in()).collect();
        let processes = start();
        starts.push(processes.started_in());
        // Some start workers after their first answer.
        std::thread::sleep(Duration::from_secs(1));
        let idle_mib = processes.memory_mib();
        let version = version.trim().to_owned();
        Some(Self { peer, processes, size, version, started_in: median(starts), idle_mib })
    }

    /// Leaves nothing in the cluster, whose other databases are measured again.
    pub async fn end(self, site: &Site) {
        drop(self.processes);
        remove(self.peer, &mut site.connect().await).await;
    }

    pub fn target<'a>(&self, site: &'a Site) -> Target<'a> {
        Target { address: self.processes.address(), cores: &site.other_cores }
    }
}

/// Memory of Grantor, counted like that of the peers.
pub fn grantor_mib(site: &Site) -> f64 {
    site.servers.iter().map(|server| proportional_kib(server.id())).sum::<u64>() as f64 / 1024.0
}

/// Where the script has installed it.
fn installed(peer: &Peer) -> PathBuf {
    crate::options::target().join("peers").join(peer.directory)
}

fn launch(peer: &Peer, site: &Site, installed: &Path, key: &Path) -> Processes {
    // Always another, since processes that were killed may still be about to leave the last one.
    let address = free_address();
    let mut command = (peer.command)(installed);
    let source = sources(peer);
    let log = fs::File::create(installed.join("log")).expect("the log can be written");
    command
        .current_dir(installed)
        .env("ORIGIN", format!("http://{address}"))
        .env("CORES", site.server_cores.count().to_string())
        .env("SIGNING_KEY", key)
        .env("COOKIE_SECRET", "a secret of the bench, that is long enough")
        .env("PGHOST", site.socket_directory())
        .env("PGPORT", site.options().get_port().to_string())
        .env("PGUSER", site.options().get_username())
        .env("PGDATABASE", peer.database)
        .stderr(Stdio::from(log));
    for file in fs::read_dir(&source).expect("its source is there").flatten() {
        fs::copy(file.path(), installed.join(file.file_name()))
            .expect("it can be copied beside its packages");
    }
    Processes::new(Process::start(&mut command, &site.server_cores, address, peer.jwks))
}

fn sources(peer: &Peer) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(peer.directory)
}

/// All peers sign with the same key.
fn key(site: &Site) -> PathBuf {
    let file = site.directory().join("peers.pem");
    if !file.exists() {
        let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("a key can be made");
        let pem = key.to_pkcs8_pem(LineEnding::LF).expect("it can be written as PEM");
        fs::write(&file, pem.as_bytes()).expect("the key can be kept");
    }
    file
}

/// What an earlier run may have left has rotated its tokens, so that there is always a new one.
async fn populate(peer: &Peer, site: &Site, size: Size) {
    let mut server = site.connect().await;
    remove(peer, &mut server).await;
    run(&mut server, &format!("CREATE DATABASE {}", peer.database)).await;
    let options = site.options().database(peer.database);
    let mut database =
        PgConnection::connect_with(&options).await.expect("the new database accepts connections");
    for (name, count) in [("users", size.users), ("clients", size.clients), ("grants", size.grants)] {
        run(&mut database, &format!("SET bench.{name} = {count}")).await;
    }
    for file in ["schema.sql", "population.sql"] {
        let sql = fs::read_to_string(sources(peer).join(file)).expect("its SQL is there");
        run(&mut database, &sql).await;
    }
    run(&mut database, "CHECKPOINT").await;
}

async fn remove(peer: &Peer, server: &mut PgConnection) {
    run(server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", peer.database)).await;
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}
