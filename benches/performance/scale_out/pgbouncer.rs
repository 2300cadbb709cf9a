//! Grantor through PgBouncer, where that is installed: a session of its own for each connection, as every version can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Run;
use super::groups::Group;
use super::levers::Moved;
use crate::site::Site;

/// The pooler's process. It is killed with this value.
struct PgBouncer {
    child: Child,
    directory: tempfile::TempDir,
}

/// Compares rows with and without it; nothing, where there is none.
pub async fn measure(run: &mut Run) -> Vec<Moved> {
    let Some(version) = version() else {
        eprintln!("PgBouncer is not installed, and is left out");
        return Vec::new();
    };
    let pooler = PgBouncer::start(&run.stage.site);
    let usual = Group::start(&run.stage.site, 1, &[]);
    let through = Group::start(&run.stage.site, 1, &[("DATABASE_URL", &pooler.url())]);
    run.compare(&format!("{version}, pool_mode = session"), &usual, &through).await
}

fn version() -> Option<String> {
    let output = Command::new("pgbouncer").arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

impl PgBouncer {
    fn start(site: &Site) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("pgbouncer.ini");
        let users = directory.path().join("users.txt");
        fs::write(&users, "\"grantor\" \"\"\n").expect("a file");
        let text = format!(
            "[databases]\ngrantor = host={} dbname=grantor user=grantor\n\n[pgbouncer]\nlisten_addr =\n\
             unix_socket_dir = {}\nlisten_port = 6432\nauth_type = trust\nauth_file = {}\npool_mode = session\n\
             max_client_conn = 200\ndefault_pool_size = 40\n\
             ignore_startup_parameters = extra_float_digits\n",
            site.socket_directory().display(),
            directory.path().display(),
            users.display(),
        );
        fs::write(&file, text).expect("a file");
        let mut command = Command::new("pgbouncer");
        for argument in arguments(&file, directory.path(), &site.socket_directory()) {
            command.arg(argument);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = site.other_cores.spawn(&mut command).expect("PgBouncer can be started");
        let pooler = Self { child, directory };
        let begun = Instant::now();
        while !pooler.socket().exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "PgBouncer does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        pooler
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join(".s.PGSQL.6432")
    }

    fn url(&self) -> String {
        let directory = self.directory.path().display().to_string();
        let encoded: String = form_urlencoded::byte_serialize(directory.as_bytes()).collect();
        format!("postgres:///grantor?host={encoded}&port=6432&user=grantor&sslmode=disable")
    }
}

/// It refuses to run for root, and becomes the account then that runs PostgreSQL and reaches its socket.
fn arguments(file: &Path, directory: &Path, sockets: &Path) -> Vec<PathBuf> {
    let mut arguments = vec![file.to_owned()];
    if rustix::process::geteuid().is_root() {
        let owner = Command::new("stat").args(["-c", "%U"]).arg(sockets).output().expect("stat runs");
        let owner = String::from_utf8_lossy(&owner.stdout).trim().to_owned();
        let given = Command::new("chown").arg("-R").arg(&owner).arg(directory).status();
        assert!(given.is_ok_and(|status| status.success()), "the directory can be given away");
        arguments.splice(0..0, ["-u".into(), owner.into()]);
    }
    arguments
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
