//! The private PostgreSQL: where it lies, who stops it, and what it survives. As root and as a plain user.

use std::cell::RefCell;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use grantor::store::embedded::{Durability, Embedded, EmbeddedError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sqlx::{Connection, PgConnection};

/// A state directory that takes its cluster with it.
struct State {
    path: PathBuf,
    _parent: tempfile::TempDir,
}

impl State {
    fn below(parent: &Path, name: &str) -> Self {
        let parent = tempfile::tempdir_in(parent).unwrap();
        fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).unwrap();
        Self { path: parent.path().join(name), _parent: parent }
    }

    fn new() -> Self {
        Self::below(Path::new("/tmp"), "state")
    }

    /// One that the account of the database can enter, too.
    fn open() -> Self {
        let state = Self::new();
        fs::set_permissions(state._parent.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(&state.path).unwrap();
        fs::set_permissions(&state.path, Permissions::from_mode(0o755)).unwrap();
        state
    }

    fn start(&self) -> Embedded {
        Embedded::start(&self.path, Durability::None, &|_| {}).unwrap()
    }

    fn cluster(&self) -> PathBuf {
        let elsewhere = fs::read_to_string(self.path.join("cluster-location"));
        elsewhere.map_or_else(|_| self.path.join("cluster"), |place| PathBuf::from(place.trim_end()))
    }

    fn pid(&self) -> Option<Pid> {
        let content = fs::read_to_string(self.cluster().join("data/postmaster.pid")).ok()?;
        Some(Pid::from_raw(content.lines().next()?.parse().unwrap()))
    }

    fn runs(&self) -> bool {
        self.pid().is_some_and(|pid| kill(pid, None).is_ok())
    }

    /// Another process that uses the cluster until it is killed.
    fn user(&self) -> Child {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "embedded::uses_the_cluster_until_it_is_killed", "--ignored", "--nocapture"])
            .env("STATE_DIRECTORY", &self.path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        assert!(output.lines().map_while(Result::ok).any(|line| line.contains("in use")));
        child
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if self.path.join("cluster-location").exists() {
            let _ = fs::remove_dir_all(self.cluster());
        }
    }
}

#[test]
#[ignore = "started by other tests as a process of its own"]
fn uses_the_cluster_until_it_is_killed() {
    let state = PathBuf::from(std::env::var_os("STATE_DIRECTORY").unwrap());
    let _embedded = Embedded::start(&state, Durability::None, &|_| {}).unwrap();
    println!("in use");
    thread::sleep(Duration::from_secs(300));
}

/// The first column of the first row of each statement, as text.
fn ask(embedded: &Embedded, statements: &[&'static str]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect_with(&embedded.connect_options()).await.unwrap();
        let mut answers = Vec::new();
        for statement in statements {
            answers.push(sqlx::query_scalar(*statement).fetch_one(&mut connection).await.unwrap());
        }
        connection.close().await.unwrap();
        answers
    })
}

const KEEP: &str = "SELECT lo_from_bytea(4711, 'kept')::text";
const KEPT: &str = "SELECT convert_from(lo_get(4711), 'UTF8')";

#[test]
fn the_first_start_makes_what_the_second_finds() {
    let state = State::new();
    let told = RefCell::new(Vec::new());
    let tell = |line: &str| told.borrow_mut().push(line.to_owned());
    let embedded = Embedded::start(&state.path, Durability::Full, &tell).unwrap();
    assert!(told.borrow()[0].starts_with("making a private PostgreSQL"), "{told:?}");
    let answers = ask(
        &embedded,
        &[
            "SELECT current_database() || ' ' || current_user",
            "SELECT current_setting('fsync') || current_setting('synchronous_commit')",
            "SELECT '[' || current_setting('listen_addresses') || ']'",
            "SELECT lower('ÄÖ')",
            KEEP,
        ],
    );
    assert_eq!(answers[..4], ["grantor grantor", "onon", "[]", "äö"]);
    embedded.stop().unwrap();
    assert!(!state.runs());

    told.borrow_mut().clear();
    let embedded = Embedded::start(&state.path, Durability::Full, &tell).unwrap();
    assert!(told.borrow()[0].starts_with("starting the private PostgreSQL"), "{told:?}");
    assert_eq!(ask(&embedded, &[KEPT]), ["kept"]);
}

#[test]
fn nobody_else_can_enter_and_it_never_runs_as_root() {
    let state = State::new();
    let embedded = state.start();
    assert_eq!(state.path.metadata().unwrap().mode() & 0o777, 0o700);
    let cluster = embedded.directory().metadata().unwrap();
    assert_eq!(cluster.mode() & 0o777, 0o700);
    assert_ne!(cluster.uid(), 0);
}

#[test]
fn the_last_to_leave_stops_it() {
    let state = State::new();
    let server = state.start();
    let command = state.start();
    server.stop().unwrap();
    assert_eq!(ask(&command, &["SELECT 'here'"]), ["here"]);
    drop(command);
    assert!(!state.runs());
}

#[test]
fn many_may_start_it_at_once() {
    let state = State::new();
    let made = AtomicUsize::new(0);
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                let count = |line: &str| {
                    made.fetch_add(usize::from(line.starts_with("making")), Ordering::Relaxed);
                };
                let embedded = Embedded::start(&state.path, Durability::None, &count).unwrap();
                assert_eq!(ask(&embedded, &["SELECT 'here'"]), ["here"]);
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
    assert!(!state.runs());
}

#[test]
fn a_killed_user_leaves_it_running_and_the_next_one_uses_it() {
    let state = State::new();
    let mut user = state.user();
    user.kill().unwrap();
    user.wait().unwrap();
    let pid = state.pid();
    assert!(state.runs());

    let embedded = state.start();
    assert_eq!(state.pid(), pid, "it was not started again");
    assert_eq!(ask(&embedded, &["SELECT 'here'"]), ["here"]);
    embedded.stop().unwrap();
    assert!(!state.runs());
}

#[test]
fn a_kill_of_everything_is_no_hindrance() {
    let state = State::new();
    let mut user = state.user();
    let server = state.pid().unwrap();
    kill(server, Signal::SIGKILL).unwrap();
    user.kill().unwrap();
    user.wait().unwrap();
    // Its workers may live a moment longer than the server.
    while state.runs() {
        thread::yield_now();
    }
    let embedded = state.start();
    assert_ne!(state.pid(), Some(server));
    assert_eq!(ask(&embedded, &["SELECT 'here'"]), ["here"]);
}

/// After a reboot, or in a container, the old process number soon belongs to somebody else.
#[test]
fn a_stale_file_that_names_a_living_process_is_no_hindrance() {
    let state = State::new();
    state.start().stop().unwrap();
    let cluster = state.cluster();
    let stranger = std::process::id();
    let data = cluster.join("data");
    let stale =
        format!("{stranger}\n{}\n1\n5432\n{}\n\n  5432001  1\nready   \n", data.display(), cluster.display());
    fs::write(data.join("postmaster.pid"), stale).unwrap();
    fs::write(cluster.join(".s.PGSQL.5432.lock"), format!("{stranger}\n")).unwrap();

    let embedded = state.start();
    assert_eq!(ask(&embedded, &["SELECT 'here'"]), ["here"]);
}

#[test]
fn a_socket_that_was_cleaned_away_comes_back() {
    let state = State::new();
    let first = state.start();
    fs::remove_file(state.cluster().join(".s.PGSQL.5432")).unwrap();
    let second = state.start();
    assert_eq!(ask(&second, &["SELECT 'here'"]), ["here"]);
    assert_eq!(ask(&first, &["SELECT 'here'"]), ["here"]);
}

#[test]
fn an_attempt_that_was_killed_half_way_is_made_anew() {
    let state = State::open();
    state.start().stop().unwrap();
    let cluster = state.cluster();
    fs::rename(cluster.join("data"), cluster.join("data.new")).unwrap();
    fs::remove_file(cluster.join("data.new/PG_VERSION")).unwrap();

    let embedded = state.start();
    assert_eq!(ask(&embedded, &["SELECT 'here'"]), ["here"]);
    assert!(!cluster.join("data.new").exists());
}

#[test]
fn a_path_longer_than_a_socket_allows_will_do() {
    let state = State::below(Path::new("/tmp"), &format!("{}/state", "long".repeat(40)));
    let embedded = state.start();
    assert_eq!(ask(&embedded, &[KEEP]), ["4711"]);
    let socket = embedded.connect_options().get_socket().unwrap().clone();
    assert_ne!(socket.parent(), state.path.parent());
    embedded.stop().unwrap();
    assert!(geteuid().is_root() || !socket.exists(), "nothing is left among the temporary files");
    assert_eq!(ask(&state.start(), &[KEPT]), ["kept"]);
}

/// Whoever else can write among the temporary files must not get to play the database.
#[test]
fn a_foreign_directory_in_the_place_of_the_socket_is_refused() {
    let state = State::below(Path::new("/tmp"), &format!("{}/state", "long".repeat(40)));
    if geteuid().is_root() {
        return;
    }
    let embedded = state.start();
    let socket = embedded.connect_options().get_socket().unwrap().clone();
    embedded.stop().unwrap();
    let trap = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(trap.path(), &socket).unwrap();
    let error = Embedded::start(&state.path, Durability::None, &|_| {}).unwrap_err().to_string();
    fs::remove_file(&socket).unwrap();
    assert!(error.contains(socket.to_str().unwrap()), "{error}");

    fs::create_dir(&socket).unwrap();
    fs::set_permissions(&socket, Permissions::from_mode(0o755)).unwrap();
    let error = Embedded::start(&state.path, Durability::None, &|_| {}).unwrap_err().to_string();
    fs::remove_dir(&socket).unwrap();
    assert!(error.contains("open to other accounts"), "{error}");
}

#[test]
fn strange_characters_in_a_path_are_only_characters() {
    let state = State::below(Path::new("/tmp"), "a \"b\", $(c) `d` 'e' \\f é");
    assert_eq!(ask(&state.start(), &["SELECT 'here'"]), ["here"]);
}

#[test]
fn a_relative_path_will_do() {
    let parent = tempfile::tempdir_in(std::env::current_dir().unwrap().join("target")).unwrap();
    let relative = parent.path().strip_prefix(std::env::current_dir().unwrap()).unwrap();
    let state = State { path: relative.join("state"), _parent: tempfile::tempdir().unwrap() };
    let embedded = state.start();
    assert!(embedded.directory().is_absolute());
    assert_eq!(ask(&embedded, &["SELECT 'here'"]), ["here"]);
}

#[test]
fn two_clusters_stand_beside_each_other() {
    let (one, other) = (State::new(), State::new());
    let (one, other) = (one.start(), other.start());
    ask(&one, &[KEEP]);
    assert_eq!(ask(&other, &["SELECT count(*)::text FROM pg_largeobject_metadata"]), ["0"]);
}

#[test]
fn root_keeps_it_elsewhere_where_the_other_account_cannot_go() {
    if !geteuid().is_root() {
        return;
    }
    let home = State::below(Path::new("/root"), "state");
    assert_eq!(ask(&home.start(), &[KEEP]), ["4711"]);
    let place = home.cluster();
    assert!(place.starts_with("/var/lib/grantor-clusters"), "{place:?}");
    assert_eq!(ask(&home.start(), &[KEPT]), ["kept"]);
    assert_eq!(home.cluster(), place);

    // A new state directory of the same name is a new beginning.
    fs::remove_dir_all(&home.path).unwrap();
    assert_eq!(ask(&home.start(), &["SELECT count(*)::text FROM pg_largeobject_metadata"]), ["0"]);
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn who_leaves_a_copied_state_directory_does_not_stop_it_under_the_original() {
    if !geteuid().is_root() {
        return;
    }
    let (original, copy) = (State::new(), State::new());
    let stays = original.start();
    fs::create_dir(&copy.path).unwrap();
    fs::copy(original.path.join("cluster-location"), copy.path.join("cluster-location")).unwrap();
    let leaves = copy.start();
    assert_eq!(leaves.directory(), stays.directory());
    leaves.stop().unwrap();
    assert_eq!(ask(&stays, &[KEEP]), ["4711"]);
    let place = original.cluster();
    stays.stop().unwrap();
    assert!(!original.runs());
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn root_keeps_it_in_an_open_state_directory() {
    let state = State::open();
    let embedded = state.start();
    assert_eq!(embedded.directory(), state.path.canonicalize().unwrap().join("cluster"));
}

#[test]
fn root_uses_the_cluster_of_a_plain_user_as_that_user() {
    if !geteuid().is_root() {
        return;
    }
    let state = State::open();
    let owner = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    nix::unistd::chown(&state.path, Some(owner.uid), Some(owner.gid)).unwrap();
    let embedded = state.start();
    for path in
        [embedded.directory(), &state.path.join("cluster/cluster.lock"), &state.path.join("cluster/log")]
    {
        assert_eq!(path.metadata().unwrap().uid(), owner.uid.as_raw(), "{path:?}");
    }
}

#[test]
fn a_place_that_is_gone_is_said() {
    let state = State::new();
    fs::create_dir(&state.path).unwrap();
    fs::write(state.path.join("cluster-location"), "/nowhere/at/all\n").unwrap();
    let error = Embedded::start(&state.path, Durability::None, &|_| {}).unwrap_err();
    assert!(matches!(error, EmbeddedError::PlaceMissing { .. }), "{error}");
}

#[test]
fn a_failure_is_one_line_with_the_reason() {
    let state = State::new();
    state.start().stop().unwrap();
    fs::remove_file(state.cluster().join("data/global/pg_control")).unwrap();
    let error = Embedded::start(&state.path, Durability::None, &|_| {}).unwrap_err().to_string();
    assert!(error.contains("could not find the database system") || error.contains("pg_control"), "{error}");
    assert!(!error.contains('\n'), "{error}");
}
