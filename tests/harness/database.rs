//! One private cluster for all tests, a template with the current schema, a clone for each test.

use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use grantor::secret::{base64url, random_bytes, sha256};
use grantor::store::embedded::{Durability, Embedded};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::installation::until;
use super::serialization_failures::SerializationFailures;

/// The master key of all tests: a key in the template can be used in every clone.
pub const MASTER_KEY: &str = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=";

/// With this in the environment the databases of all tests are SERIALIZABLE, and some statements fail.
const ALL_SERIALIZABLE: &str = "TESTS_SERIALIZABLE";

/// A test's own database. It goes with it.
pub struct TestDatabase {
    pub name: String,
    /// What stands before it, if all is to be SERIALIZABLE.
    failures: Option<SerializationFailures>,
    // The last test to leave stops the cluster.
    cluster: Embedded,
    /// The state directory of a cluster of its own; removed when that has stopped.
    own_state: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// A clone of the migrated template.
    pub async fn new() -> Self {
        if std::env::var_os(ALL_SERIALIZABLE).is_some() {
            Self::serializable().await
        } else {
            Self::cloned().await
        }
    }

    /// The same, in which servers and commands work at SERIALIZABLE, and now and then a statement or a commit of
    /// theirs fails as it may there.
    pub async fn serializable() -> Self {
        let mut database = Self::cloned().await;
        let failures = SerializationFailures::before(database.options().get_socket().unwrap());
        database.failures = Some(failures);
        database
    }

    async fn cloned() -> Self {
        let database = Self::named_randomly().await;
        let template = template(&database).await;
        database.admin(&format!("CREATE DATABASE {} TEMPLATE {template}", database.name)).await;
        database
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        let database = Self::named_randomly().await;
        database.admin(&format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    /// The same in a cluster of its own, durable as in earnest, that may be killed.
    pub async fn in_a_cluster_of_its_own() -> Self {
        let state = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let cluster = start_cluster(state.path().to_owned(), Durability::Full).await;
        let database = Self { name: random_name(), failures: None, cluster, own_state: Some(state) };
        let template = template(&database).await;
        database.admin(&format!("CREATE DATABASE {} TEMPLATE {template}", database.name)).await;
        database
    }

    /// Kills its own cluster: `QUIT` as an operator in a hurry, `KILL` as a machine short of memory.
    pub fn kill_cluster(&self, signal: &str) {
        assert!(self.own_state.is_some(), "the cluster belongs to all tests");
        let file = std::fs::read_to_string(self.cluster.directory().join("data/postmaster.pid")).unwrap();
        let pid = file.lines().next().unwrap();
        assert!(Command::new("kill").args(["-s", signal, pid]).status().unwrap().success());
        while PathBuf::from("/proc").join(pid).exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Waits until so many statements at least wait for a lock.
    pub async fn until_waiting(&self, number: i64) {
        until(Duration::from_secs(20), || async {
            let waiting = "SELECT count(*) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            let mut sql = self.sql().await;
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut sql).await.unwrap() >= number
        })
        .await;
    }

    /// Starts its own cluster again, after it was killed.
    pub async fn restart_cluster(&self) {
        let state = self.own_state.as_ref().unwrap().path().to_owned();
        // Who has killed it still uses it: that this one leaves stops nothing.
        drop(start_cluster(state, Durability::Full).await);
    }

    async fn named_randomly() -> Self {
        let state = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cluster");
        let cluster = start_cluster(state, Durability::None).await;
        Self { name: random_name(), failures: None, cluster, own_state: None }
    }

    /// How a server or a command reaches it.
    pub fn url(&self) -> String {
        match &self.failures {
            Some(failures) => url(failures.directory(), &self.name),
            None => self.url_of(&self.name),
        }
    }

    /// What a server or a command is told of it beside the URL. What fails so often may take its time.
    pub fn settings(&self) -> &'static [(&'static str, &'static str)] {
        const SERIALIZABLE: [(&str, &str); 4] = [
            ("GRANTOR_DATABASE_ISOLATION", "serializable"),
            ("GRANTOR_DATABASE_ACQUIRE_TIMEOUT", "20s"),
            ("GRANTOR_DATABASE_STATEMENT_TIMEOUT", "20s"),
            ("GRANTOR_SERVER_REQUEST_TIMEOUT", "30s"),
        ];
        if self.failures.is_some() { &SERIALIZABLE } else { &[] }
    }

    /// How many statements and how many commits were made to fail.
    pub fn failures(&self) -> (usize, usize) {
        self.failures.as_ref().map(SerializationFailures::injected).unwrap_or_default()
    }

    fn url_of(&self, name: &str) -> String {
        let options = self.cluster.connect_options();
        url(options.get_socket().expect("the cluster listens on a socket"), name)
    }

    /// A connection for looking into the tables.
    pub async fn sql(&self) -> PgConnection {
        PgConnection::connect_with(&self.options()).await.unwrap()
    }

    pub fn options(&self) -> PgConnectOptions {
        self.cluster.connect_options().database(&self.name)
    }

    /// Runs a statement in this database.
    pub async fn execute(&self, statement: &str) -> u64 {
        let mut connection = self.sql().await;
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap()
            .rows_affected()
    }

    async fn admin(&self, statement: &str) {
        let options = self.cluster.connect_options().database("postgres");
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let options = self.cluster.connect_options().database("postgres");
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // Dropping is not async; a runtime of its own on a thread of its own is.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect_with(&options).await {
                    let _ = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// Where a database is reached whose socket lies in this directory.
fn url(directory: &Path, name: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(directory.as_os_str().as_bytes()).collect();
    format!("postgres:///{name}?host={encoded}&user=grantor&sslmode=disable")
}

/// Starts the cluster of this state directory, if it does not run.
async fn start_cluster(state: PathBuf, durability: Durability) -> Embedded {
    // Open, so that the cluster lies in it for root too, and goes with it.
    std::fs::create_dir_all(&state).unwrap();
    std::fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    let start = move || Embedded::start(&state, durability, &|_| {});
    tokio::task::spawn_blocking(start).await.unwrap().unwrap()
}

fn random_name() -> String {
    format!("t_{}", random_bytes::<8>().map(|byte| format!("{byte:02x}")).concat())
}

/// The template's name. It is made once for each state of the migrations, by the real command.
async fn template(database: &TestDatabase) -> String {
    static MAKING: Mutex<()> = Mutex::new(());
    let migrations: Vec<u8> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect();
    let hash = base64url(&sha256(&migrations)).to_lowercase().replace(['-', '_'], "x");
    let name = format!("template_{}", &hash[..16]);

    let options = database.cluster.connect_options().database("postgres");
    let (url, wanted) = (database.url_of(&name), name.clone());
    tokio::task::spawn_blocking(move || {
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(make_template(&options, &url, &wanted));
    })
    .await
    .unwrap();
    name
}

async fn make_template(options: &PgConnectOptions, url: &str, name: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    let exists: bool = sqlx::query_scalar(
        "SELECT coalesce(bool_or(datistemplate), false) FROM pg_database WHERE datname = $1",
    )
    .bind(name)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    if exists {
        return;
    }
    // Left half-made by a run that was ended.
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    // Rotating makes the first key, so that no test pays for one.
    for arguments in [["migrate", "--json"].as_slice(), &["key", "rotate", "--now"]] {
        let done = Command::new(env!("CARGO_BIN_EXE_grantor"))
            .args(arguments)
            .env("DATABASE_URL", url)
            .env("GRANTOR_MASTER_KEY", MASTER_KEY)
            .output()
            .unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let ready = format!("ALTER DATABASE {name} IS_TEMPLATE true");
    sqlx::query(AssertSqlSafe(ready)).execute(&mut connection).await.unwrap();
}
