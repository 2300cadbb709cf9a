//! R22: a configuration that cannot work is refused at the start, in one line, before anything listens.

use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::harness::free_port;
use crate::report::Report;
use crate::scale::Scale;
use crate::site::{Site, file};

/// What is wrong, and the variables that make it so.
type Wrong = (&'static str, Vec<(&'static str, String)>);

pub async fn run(scale: Scale) -> Report {
    let mut report = Report::default();
    let site = Site::new(&[]);
    // Recorded at the first start: another master key is refused from then on.
    drop(site.start().await);
    for statement in ["CREATE DATABASE empty", "CREATE DATABASE newer TEMPLATE grantor"] {
        site.postgres.execute(statement).await;
    }
    make_newer(&site).await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut slowest = Duration::ZERO;
    let all = wrong(&site, silent.local_addr().unwrap().port(), taken.local_addr().unwrap().port());
    let asked = all.len();
    for (what, variables) in all {
        let refusal = tokio::task::block_in_place(|| refusal(&site, &variables));
        slowest = slowest.max(refusal.after);
        if !refusal.is_as_promised(scale) {
            report.must(&format!("{what}: {}", refusal.told()), false);
        }
    }
    report.told("configurations that cannot work", asked);
    report.within("refused within", slowest, scale.bar(Duration::from_secs(5)));
    report.must("each with a status other than 0, one line, and no listener", report.is_good());
    report
}

fn wrong(site: &Site, silent: u16, taken: u16) -> Vec<Wrong> {
    let database = |name: &str| site.postgres.url().replace("///grantor?", &format!("///{name}?"));
    let directory = site.directory();
    let text = |value: &str| value.to_owned();
    let path = |name: &str, content: &str| file(&directory, name, content).display().to_string();
    let missing = directory.join("missing").display().to_string();
    vec![
        ("a database URL that is none", vec![("DATABASE_URL", text("mysql://localhost/x"))]),
        ("nobody listens there", vec![("DATABASE_URL", text("postgres://grantor@127.0.0.1:1/grantor"))]),
        (
            "no socket there",
            vec![("DATABASE_URL", format!("postgres:///grantor?host={missing}&user=grantor"))],
        ),
        (
            "who listens says nothing",
            vec![("DATABASE_URL", format!("postgres://grantor@127.0.0.1:{silent}/x"))],
        ),
        ("no such database", vec![("DATABASE_URL", database("nowhere"))]),
        (
            "schema too old",
            vec![("DATABASE_URL", database("empty")), ("GRANTOR_DATABASE_MIGRATE", text("false"))],
        ),
        ("schema too new", vec![("DATABASE_URL", database("newer"))]),
        (
            "schema too new, not migrating",
            vec![("DATABASE_URL", database("newer")), ("GRANTOR_DATABASE_MIGRATE", text("false"))],
        ),
        ("a master key that is none", vec![("GRANTOR_MASTER_KEY", text("short"))]),
        (
            "another master key",
            vec![("GRANTOR_MASTER_KEY", text("b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q="))],
        ),
        (
            "no file of master keys",
            vec![("GRANTOR_MASTER_KEY", String::new()), ("GRANTOR_MASTER_KEY_FILE", missing.clone())],
        ),
        (
            "no certificate",
            vec![
                ("GRANTOR_ISSUER", text("https://localhost")),
                ("GRANTOR_SERVER_TLS_CERT", missing.clone()),
                ("GRANTOR_SERVER_TLS_KEY", missing),
            ],
        ),
        (
            "a certificate that is none",
            vec![
                ("GRANTOR_ISSUER", text("https://localhost")),
                ("GRANTOR_SERVER_TLS_CERT", path("certificate.pem", "nonsense")),
                ("GRANTOR_SERVER_TLS_KEY", path("key.pem", "nonsense")),
            ],
        ),
        (
            "a file with an unknown name",
            vec![("GRANTOR_CONFIG", path("grantor.toml", "[server]\nlisten_on = 1\n"))],
        ),
        ("an unknown variable", vec![("GRANTOR_SERVER_LISTEN_ON", text("1"))]),
        ("an issuer that is none", vec![("GRANTOR_ISSUER", text("ftp://id.example.com"))]),
        (
            "metrics where somebody listens",
            vec![("GRANTOR_SERVER_METRICS_LISTEN", format!("127.0.0.1:{taken}"))],
        ),
    ]
}

/// A migration that this release does not know has run.
async fn make_newer(site: &Site) {
    use sqlx::Connection;
    let options = site.postgres.options().database("newer");
    let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a later release', true, '', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
}

struct Refusal {
    code: Option<i32>,
    after: Duration,
    said: String,
    listened: bool,
}

impl Refusal {
    fn is_as_promised(&self, scale: Scale) -> bool {
        self.code.is_some_and(|code| code != 0)
            && self.after <= scale.bar(Duration::from_secs(5))
            && self.said.lines().count() == 1
            && !self.listened
    }

    fn told(&self) -> String {
        let Self { code, after, said, listened } = self;
        format!("status {code:?} after {after:?}, listened: {listened}, said: {said:?}")
    }
}

/// Starts a server that must not start.
fn refusal(site: &Site, variables: &[(&str, String)]) -> Refusal {
    let (port, began) = (free_port(), Instant::now());
    let mut command = site.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    for (name, value) in variables {
        match value.is_empty() {
            true => command.env_remove(name),
            false => command.env(name, value),
        };
    }
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut listened = false;
    while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(30) {
        listened |= TcpStream::connect(("127.0.0.1", port)).is_ok();
        std::thread::sleep(Duration::from_millis(1));
    }
    let after = began.elapsed();
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    Refusal {
        code: output.status.code(),
        after,
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
        listened,
    }
}
