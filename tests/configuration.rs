//! The configuration as an operator meets it: who wins, what is shown, what is hidden.

use serde_json::Value;

use crate::harness::{Installation, MASTER_KEY, TestDatabase, free_port};

/// Who gave a setting, and its value.
fn shown(installation: &Installation, flags: &[&str], setting: &str) -> (String, Value) {
    let shown = installation.json(&[&["config", "show"], flags].concat());
    let entry = &shown[setting];
    (
        entry["source"].as_str().unwrap_or_else(|| panic!("{setting} is not shown")).to_owned(),
        entry["value"].clone(),
    )
}

#[test]
fn a_flag_counts_more_than_the_environment_and_that_more_than_the_file() {
    let nothing = Installation::new().without("GRANTOR_STATE_DIR");
    let content = "issuer = \"https://file.example\"\nstate_dir = \"/from/file\"\n\
                   [database]\nurl = \"postgres://db.example/file\"\n";
    let file = nothing.file("grantor.toml", content);
    let file = file.to_str().unwrap();
    assert_eq!(shown(&nothing, &[], "state_dir").0, "default");

    let with_file = ["--config", file];
    assert_eq!(shown(&nothing, &with_file, "state_dir").1, "/from/file");
    let installation = nothing.with("GRANTOR_CONFIG", file);
    let (source, value) = shown(&installation, &[], "issuer");
    assert_eq!((source.starts_with("file "), value), (true, "https://file.example".into()));

    let installation = installation
        .with("GRANTOR_ISSUER", "https://environment.example")
        .with("GRANTOR_STATE_DIR", "/from/environment");
    assert_eq!(shown(&installation, &[], "issuer").1, "https://environment.example");
    assert_eq!(shown(&installation, &[], "state_dir").1, "/from/environment");
    let installation = installation.with("GRANTOR_ISSUER", "http://localhost:8080");
    let (source, value) = shown(&installation, &["--state-dir", "/from/flag"], "state_dir");
    assert_eq!((source.as_str(), value), ("flag --state-dir", "/from/flag".into()));
}

#[test]
fn the_database_is_that_of_the_strongest() {
    let source = |installation: &Installation, flags: &[&str]| shown(installation, flags, "database.url").0;
    let installation = Installation::new();
    assert_eq!(source(&installation, &[]), "not set");
    let file = installation.file("grantor.toml", "[database]\nurl = \"postgres://db.example/file\"\n");
    let installation = installation.with("GRANTOR_CONFIG", file.to_str().unwrap());
    assert!(source(&installation, &[]).starts_with("file "));
    let installation = installation.with("DATABASE_URL", "postgres://db.example/other-programs");
    assert_eq!(source(&installation, &[]), "environment DATABASE_URL");
    let installation = installation.with("GRANTOR_DATABASE_URL", "postgres://db.example/own");
    assert_eq!(source(&installation, &[]), "environment GRANTOR_DATABASE_URL");
    let flag = ["--database-url", "postgres://db.example/flag"];
    assert_eq!(source(&installation, &flag), "flag --database-url");
    assert_eq!(source(&installation, &["--state-dir", "/tmp/state"]), "not set");
}

#[tokio::test]
async fn the_server_listens_where_the_strongest_says() {
    let database = TestDatabase::new().await;
    let [in_file, in_environment, in_flag] = [(); 3].map(|()| format!("127.0.0.1:{}", free_port()));
    let installation = Installation::on(&database).with("GRANTOR_MASTER_KEY", MASTER_KEY);
    let file = installation.file("grantor.toml", &format!("[server]\nlisten = \"{in_file}\"\n"));
    let file = file.to_str().unwrap();

    let installation = installation.without("GRANTOR_LISTEN");
    assert_eq!(installation.serve(&["--config", file]).address(), in_file);
    let installation = installation.with("GRANTOR_LISTEN", &in_environment);
    assert_eq!(installation.serve(&["--config", file]).address(), in_environment);
    let server = installation.serve(&["--config", file, "--listen", &in_flag]);
    assert_eq!(server.address(), in_flag);
    // The default issuer names the port.
    assert_eq!(server.issuer, format!("http://localhost:{}", in_flag.rsplit(':').next().unwrap()));
    drop(server);
    let issuer = "http://127.0.0.1:4711";
    assert_eq!(installation.serve(&["--issuer", issuer]).issuer, issuer, "a given one is exactly that");
}

#[test]
fn secrets_are_never_shown() {
    let installation = Installation::new()
        .with("DATABASE_URL", "postgres://grantor:hunter2@db.example/grantor")
        .with("GRANTOR_MASTER_KEY", MASTER_KEY);
    for arguments in [
        ["config", "show"].as_slice(),
        &["config", "show", "--json"],
        &["config", "check"],
        // Beside a mistake.
        &["config", "check", "--config", "/nowhere.toml"],
        &["config", "show", "--database-url", "postgres:/grantor:hunter2@db.example"],
    ] {
        let output = installation.run(arguments, "");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!said.is_empty());
        for secret in ["hunter2", MASTER_KEY] {
            assert!(!said.contains(secret), "{arguments:?}: {said}");
        }
    }
    let (source, value) = shown(&installation, &[], "database.url");
    assert_eq!((source.as_str(), value), ("environment DATABASE_URL", "[hidden]".into()));
}

#[test]
fn a_secret_may_lie_in_a_file() {
    let installation = Installation::new();
    let file = installation.file("url", "postgres://grantor:hunter2@db.example/grantor\n");
    let installation = installation.with("GRANTOR_DATABASE_URL_FILE", file.to_str().unwrap());
    assert_eq!(shown(&installation, &[], "database.url").0, "environment GRANTOR_DATABASE_URL_FILE");
    let both = installation.with("GRANTOR_DATABASE_URL", "postgres://db.example/x");
    assert!(both.refused(&["config", "check"]).contains("both set"));
}

#[test]
fn every_problem_is_told_in_a_line_of_its_own() {
    let installation = Installation::new();
    let content = "isuer = \"http://localhost\"\n[tokens]\ncode_lifetime = \"5m\"\n[sesions]\nx = 1\n";
    let file = installation.file("grantor.toml", content);
    let output = installation.run(&["config", "check", "--config", file.to_str().unwrap()], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let told = |words: [&str; 2]| said.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(told(["isuer", "did you mean `issuer`"]), "{said}");
    assert!(told(["tokens.code_lifetime", "5m"]), "{said}");
    assert!(told(["sesions", "did you mean `sessions`"]), "{said}");
}

#[test]
fn the_reference_is_a_configuration_that_will_do() {
    // Printed also where the configuration in force would not do.
    let installation = Installation::new().with("GRANTOR_ISSUER", "nonsense");
    let output = installation.run(&["config", "reference"], "");
    let reference = String::from_utf8(output.stdout).unwrap();
    assert_eq!(reference, include_str!("../docs/configuration.toml"));
    assert_eq!(installation.json(&["config", "reference"])["toml"], reference);

    let installation = installation.without("GRANTOR_ISSUER");
    let file = installation.file("grantor.toml", &reference);
    let checked = installation.json(&["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!(checked["valid"], true);
}
