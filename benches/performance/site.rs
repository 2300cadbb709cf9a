//! An installation under measurement: a PostgreSQL that writes through to the disk, and servers on cores of their own.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use grantor::config::{Config, Overrides};
use grantor::keys::MasterKeys;
use grantor::secret::Secret;
use grantor::store::embedded::{Durability, Embedded};
use grantor::web::server::JOB_CONNECTIONS;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::cores::Cores;
use super::load::Target;
use super::process::{Process, free_address};

/// What servers call themselves. Nobody is asked there: requests go to [`Site::target`] with this host.
pub const ISSUER: &str = "http://localhost:8080";
/// The host of [`ISSUER`], which pages insist on.
pub const HOST: &str = "localhost:8080";

/// Always the same, so that a population that was made once can be used again.
const MASTER_KEY: &str = "Z3JhbnRvci1iZW5jaC1tYXN0ZXIta2V5LTMyLWJ5dGU=";

/// How to make a site.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    pub binary: PathBuf,
    /// The state directory, which may hold a cluster of an earlier run.
    pub directory: PathBuf,
    /// Processes to start with. A population is best made while there are none.
    pub servers: usize,
    /// `GRANTOR_` variables beyond [`settings`](Site::settings).
    pub settings: Vec<(String, String)>,
}

/// What PostgreSQL is given beyond its defaults, as on a machine of its own.
pub const POSTGRESQL: [&str; 3] = ["shared_buffers=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min"];

/// An installation. It ends with this value.
pub struct Site {
    // Dropped first: they use the database.
    pub servers: Vec<Process>,
    postgres: Embedded,
    options: SiteOptions,
    pub server_cores: Cores,
    /// Of PostgreSQL and the load.
    pub other_cores: Cores,
}

impl Site {
    /// Starts PostgreSQL, brings the schema up to date, and starts the servers.
    pub async fn start(options: SiteOptions) -> Self {
        let (server_cores, other_cores) = Cores::halves();
        // PostgreSQL inherits them.
        other_cores.confine_this_thread();
        fs::create_dir_all(&options.directory).expect("the directory can be made");
        // Open, so that the account that runs PostgreSQL for root can enter it.
        let open = fs::set_permissions(&options.directory, Permissions::from_mode(0o755));
        open.expect("the directory is ours");
        let postgres = Embedded::start_with(&options.directory, Durability::Full, &POSTGRESQL, &|_| {})
            .unwrap_or_else(|error| panic!("PostgreSQL does not start: {error}"));
        let servers = options.servers;
        let mut site = Self { servers: Vec::new(), postgres, options, server_cores, other_cores };
        // What a run that was broken off has changed.
        site.configure("ALTER SYSTEM RESET ALL".to_owned()).await;
        site.run(&["migrate"], "");
        site.serve(servers);
        site
    }

    /// Ends all servers and starts this many.
    pub fn serve(&mut self, servers: usize) {
        self.servers.clear();
        self.servers = (0..servers).map(|_| self.spawn()).collect();
    }

    /// One more server, not among [`servers`](Self::servers), that answers.
    pub fn spawn(&self) -> Process {
        self.spawn_with(&[])
    }

    /// The same with these environment variables too.
    pub fn spawn_with(&self, variables: &[(String, String)]) -> Process {
        let address = free_address();
        let mut command = self.command(&["serve", "--listen", &address.to_string()]);
        command.envs(variables.iter().cloned());
        Process::start(&mut command, &self.server_cores, address, "/health/ready")
    }

    /// `http://127.0.0.1:PORT` of the first server.
    pub fn origin(&self) -> String {
        format!("http://{}", self.servers[0].address)
    }

    /// The first server, asked by the other cores.
    pub fn target(&self) -> Target<'_> {
        Target { address: self.servers[0].address, cores: &self.other_cores }
    }

    /// Processor time of all servers.
    pub fn cpu_time(&self) -> Duration {
        self.servers.iter().map(Process::cpu_time).sum()
    }

    /// How to connect to the database.
    pub fn options(&self) -> PgConnectOptions {
        self.postgres.connect_options()
    }

    /// The directory with PostgreSQL's socket.
    pub fn socket_directory(&self) -> PathBuf {
        self.options().get_socket().expect("it listens on a socket").clone()
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.expect("PostgreSQL accepts connections")
    }

    /// Gives a setting of PostgreSQL's this value, or takes it back; sessions that there are follow.
    pub async fn set(&self, setting: &str, value: Option<&str>) {
        self.configure(match value {
            Some(value) => format!("ALTER SYSTEM SET {setting} = {value}"),
            None => format!("ALTER SYSTEM RESET {setting}"),
        })
        .await;
    }

    async fn configure(&self, change: String) {
        let mut connection = self.connect().await;
        for statement in [change, "SELECT pg_reload_conf()".to_owned()] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("it can be set");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    pub fn database_url(&self) -> String {
        let socket = self.socket_directory().display().to_string();
        let encoded: String = form_urlencoded::byte_serialize(socket.as_bytes()).collect();
        format!("postgres:///grantor?host={encoded}&user=grantor&sslmode=disable")
    }

    /// The master keys of the servers.
    pub fn master_keys() -> MasterKeys {
        let key = ("the bench".to_owned(), Secret::new(MASTER_KEY.to_owned()));
        MasterKeys::load(&[key]).expect("the key is sound")
    }

    /// Connections to the database by which a server answers requests.
    pub fn request_connections(&self) -> u32 {
        let environment = self.settings().into_iter().collect();
        let config = Config::load(&Overrides { environment, ..Overrides::default() });
        config.expect("the settings are sound").database.max_connections - JOB_CONNECTIONS
    }

    /// Where the bench may keep what belongs to this cluster.
    pub fn directory(&self) -> &Path {
        &self.options.directory
    }

    pub fn binary(&self) -> &Path {
        &self.options.binary
    }

    /// What differs from Grantor's defaults: whoever signs in comes from an address of their own, and passwords are
    /// hashed by all of the server's cores.
    pub fn settings(&self) -> Vec<(String, String)> {
        let fixed = [
            ("GRANTOR_SERVER_TRUSTED_PROXIES", "127.0.0.1".to_owned()),
            ("GRANTOR_PASSWORDS_THREADS", self.server_cores.count().to_string()),
            ("GRANTOR_LOG_FILTER", "warn".to_owned()),
        ];
        let fixed = fixed.into_iter().map(|(name, value)| (name.to_owned(), value));
        fixed.chain(self.options.settings.iter().cloned()).collect()
    }

    /// Runs a command that succeeds; what it prints.
    pub fn run(&self, arguments: &[&str], input: &str) -> Vec<u8> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be started");
        // A command that reads no input may have ended.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// A command in this installation's environment, and in no other.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.options.binary);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DATABASE_URL", self.database_url())
            .env("GRANTOR_ISSUER", ISSUER)
            .env("GRANTOR_MASTER_KEY", MASTER_KEY)
            .env("GRANTOR_STATE_DIR", self.options.directory.join("servers"))
            .env("GRANTOR_SERVER_METRICS_LISTEN", "127.0.0.1:0")
            .envs(self.settings());
        command
    }
}
