//! The configuration as a whole: precedence, refusals, secrets, the reference file.

mod reference;
mod secrets;

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// Flags, environment and a file in a directory of their own.
struct Given {
    overrides: Overrides,
    directory: TempDir,
}

fn given(environment: &[(&str, &str)]) -> Given {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let overrides = Overrides { environment: environment.collect(), ..Overrides::default() };
    Given { overrides, directory: TempDir::new().unwrap() }
}

impl Given {
    fn file(mut self, text: &str) -> Self {
        self.overrides.config = Some(self.write("grantor.toml", text));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.overrides.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn flags(mut self, set: impl FnOnce(&mut Overrides)) -> Self {
        set(&mut self.overrides);
        self
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn load(&self) -> Config {
        Config::load(&self.overrides).unwrap()
    }

    /// The problems, with the directory cut off.
    fn problems(&self) -> Vec<String> {
        let error = Config::load(&self.overrides).unwrap_err();
        let directory = format!("{}/", self.directory.path().display());
        error.problems().iter().map(|problem| problem.replace(&directory, "")).collect()
    }
}

fn url(config: &Config) -> &str {
    match &config.database.source {
        DatabaseSource::Embedded => "embedded",
        DatabaseSource::Url(url) => url.expose(),
    }
}

#[test]
fn nothing_given_is_a_working_configuration() {
    let config = given(&[("HOME", "/home/ada")]).load();
    assert_eq!(config.issuer.as_str(), "http://localhost:8080");
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.database.source, DatabaseSource::Embedded);
    assert_eq!(config.state_dir, PathBuf::from("/home/ada/.local/state/grantor"));
    assert_eq!(config.tokens.access_token_lifetime, Duration::from_secs(600));
    assert_eq!(config.tokens.refresh_idle_lifetime, Duration::from_secs(30 * 86_400));
    assert_eq!(config.sessions.absolute_lifetime, Duration::from_secs(7 * 86_400));
    assert_eq!(config.passwords.memory_kib, 19_456);
    assert!(!config.server.metrics_listen_given && config.server.trusted_proxies.is_empty());
    let generated = MasterKeyValue::Generated(config.state_dir.join("master.key"));
    assert_eq!(config.keys.master_keys.iter().map(|source| &source.value).collect::<Vec<_>>(), [&generated]);
}

#[test]
fn the_state_directory_has_a_place_of_its_own() {
    for (root, environment, expected) in [
        (true, [("HOME", "/root"), ("XDG_STATE_HOME", "/x")].as_slice(), "/var/lib/grantor"),
        (false, &[("HOME", "/home/ada"), ("XDG_STATE_HOME", "/x")], "/x/grantor"),
        (false, &[("HOME", "/home/ada"), ("XDG_STATE_HOME", "relative")], "/home/ada/.local/state/grantor"),
        (false, &[("HOME", "/home/ada"), ("XDG_STATE_HOME", "")], "/home/ada/.local/state/grantor"),
        (false, &[], "/var/lib/grantor"),
        (true, &[("GRANTOR_STATE_DIR", "/data")], "/data"),
    ] {
        let given = given(environment).flags(|flags| flags.is_root = root);
        assert_eq!(given.load().state_dir, PathBuf::from(expected), "{environment:?}");
    }
}

#[test]
fn a_stronger_source_wins() {
    // flag, environment, file
    for (flag, variable, file, expected) in [
        (Some("127.0.0.1:1"), Some("127.0.0.1:2"), Some("127.0.0.1:3"), "127.0.0.1:1"),
        (None, Some("127.0.0.1:2"), Some("127.0.0.1:3"), "127.0.0.1:2"),
        (None, None, Some("127.0.0.1:3"), "127.0.0.1:3"),
        (Some("127.0.0.1:1"), None, Some("127.0.0.1:3"), "127.0.0.1:1"),
        (None, None, None, "127.0.0.1:8080"),
    ] {
        for name in ["GRANTOR_LISTEN", "GRANTOR_SERVER_LISTEN"] {
            let mut given = given(&[]).flags(|flags| flags.listen = flag.map(str::to_owned));
            if let Some(value) = variable {
                given = given.variable(name, value);
            }
            if let Some(value) = file {
                given = given.file(&format!("server.listen = \"{value}\""));
            }
            let config = given.load();
            assert_eq!(config.server.listen, expected.parse().unwrap());
            assert_eq!(config.issuer.as_str(), format!("http://localhost:{}", config.server.listen.port()));
        }
    }
}

#[test]
fn a_database_is_chosen_by_the_strongest_source() {
    const FLAG: &str = "postgres:///flag";
    const OURS: &str = "postgres:///ours";
    const THEIRS: &str = "postgres:///theirs";
    const FILE: &str = "postgres:///file";
    // --database-url, --state-dir, GRANTOR_DATABASE_URL, DATABASE_URL, file
    for (flag, state_dir, ours, theirs, file, expected) in [
        (true, false, true, true, true, FLAG),
        (true, true, true, true, true, FLAG),
        (false, true, true, true, true, "embedded"),
        (false, true, false, true, false, "embedded"),
        (false, true, false, false, false, "embedded"),
        (false, false, true, true, true, OURS),
        (false, false, false, true, true, THEIRS),
        (false, false, false, false, true, FILE),
        (false, false, false, false, false, "embedded"),
    ] {
        let mut given = given(&[]).flags(|flags| {
            flags.database_url = flag.then(|| FLAG.to_owned());
            flags.state_dir = state_dir.then(|| "/data".to_owned());
        });
        if ours {
            given = given.variable("GRANTOR_DATABASE_URL", OURS);
        }
        if theirs {
            given = given.variable("DATABASE_URL", THEIRS);
        }
        if file {
            given = given.file(&format!("[database]\nurl = \"{FILE}\""));
        }
        let config = given.load();
        assert_eq!(url(&config), expected, "{flag} {state_dir} {ours} {theirs} {file}");
        assert_eq!(config.state_dir == *"/data", state_dir);
    }
}

#[test]
fn a_state_directory_of_the_environment_leaves_the_database() {
    let given = given(&[("GRANTOR_STATE_DIR", "/data"), ("DATABASE_URL", "postgres:///theirs")]);
    assert_eq!(url(&given.load()), "postgres:///theirs");
}

#[test]
fn a_database_that_the_state_dir_flag_beats_need_not_be_a_good_one() {
    let given = given(&[("DATABASE_URL", "mysql://db"), ("GRANTOR_DATABASE_URL_FILE", "/nowhere")]);
    let config = given.flags(|flags| flags.state_dir = Some("/data".to_owned())).load();
    assert_eq!(url(&config), "embedded");
}

#[test]
fn an_empty_database_url_of_others_is_none() {
    assert_eq!(url(&given(&[("DATABASE_URL", "")]).load()), "embedded");
}

#[test]
fn every_setting_has_a_name_in_the_environment() {
    for setting in settings() {
        let text = setting.default.filter(|text| !text.is_empty()).unwrap_or(match setting.path {
            "keys.master_key" => "c2VjcmV0",
            "server.trusted_proxies" => "10.0.0.0/8, 192.0.2.1",
            "issuer" => "https://localhost:8443",
            _ => setting.example,
        });
        for variable in setting.variables().iter().filter(|variable| !variable.names_a_file) {
            let mut given = given(&[(&variable.name, text)]);
            if setting.path.starts_with("server.tls_") {
                given = given.flags(|flags| {
                    flags.tls_cert.get_or_insert("/cert.pem".to_owned());
                    flags.tls_key.get_or_insert("/key.pem".to_owned());
                    *if setting.path == "server.tls_cert" {
                        &mut flags.tls_cert
                    } else {
                        &mut flags.tls_key
                    } = None;
                });
            }
            let config = given.load();
            let shown = config.to_json_hiding_secrets();
            let source = format!("environment {}", variable.name);
            assert_eq!(shown[setting.path]["source"], source, "{}", config.to_toml_hiding_secrets());
        }
    }
}

#[test]
fn problems_name_the_place_and_the_remedy() {
    for (environment, file, expected) in [
        (
            &[][..],
            "[tokens]\nacces_token_lifetime = \"1m\"",
            "grantor.toml: unknown key `tokens.acces_token_lifetime`; did you mean `tokens.access_token_lifetime`?",
        ),
        (&[], "listen = \"[::]:80\"", "grantor.toml: unknown key `listen`; did you mean `server.listen`?"),
        (&[], "[token]\nx = 1", "grantor.toml: unknown section `token`; did you mean `tokens`?"),
        (&[], "server = 3", "grantor.toml: `server` is a section: write it as [server]"),
        (&[], "colour = 3", "grantor.toml: unknown key `colour`; docs/configuration.toml lists them all"),
        (
            &[],
            "[keys]\nmaster_key = \"x\"",
            "grantor.toml: `keys.master_key` may not stand in the file: use `keys.master_key_files` or GRANTOR_MASTER_KEY",
        ),
        (
            &[("GRANTOR_ISUER", "x")],
            "",
            "unknown environment variable `GRANTOR_ISUER`; did you mean `GRANTOR_ISSUER`?",
        ),
        (&[("GRANTOR_LISTEN", "")], "", "GRANTOR_LISTEN is empty: give it a value or unset it"),
        (
            &[("GRANTOR_LISTEN", "[::]:1"), ("GRANTOR_SERVER_LISTEN", "[::]:2")],
            "",
            "GRANTOR_LISTEN and GRANTOR_SERVER_LISTEN are both set: unset one",
        ),
        (
            &[("GRANTOR_LISTEN", "localhost:80")],
            "",
            "GRANTOR_LISTEN must be an IP address and a port such as \"127.0.0.1:8080\" or \"[::]:8080\", \
             not \"localhost:80\"",
        ),
        (
            &[],
            "[tokens]\ncode_lifetime = \"61s\"",
            "grantor.toml: tokens.code_lifetime must be a duration (s, m, h or d) from \"1s\" to \
             \"1m\", not \"61s\"",
        ),
        (
            &[],
            "[tokens]\nrefresh_idle_lifetime = \"91d\"",
            "tokens.refresh_idle_lifetime (91d) is above tokens.refresh_absolute_lifetime (90d): \
             lower it or raise the other",
        ),
        (
            &[],
            "[sessions]\nabsolute_lifetime = \"1h\"",
            "sessions.idle_lifetime (12h) is above sessions.absolute_lifetime (1h): lower it or raise the other",
        ),
        (
            &[],
            "[server]\ntls_cert = \"cert.pem\"",
            "server.tls_cert is set without server.tls_key: give both or none",
        ),
        (
            &[("GRANTOR_ISSUER", "http://id.example.com")],
            "",
            "GRANTOR_ISSUER must be https unless the host is localhost, 127.0.0.0/8 or [::1]",
        ),
        (
            &[],
            "issuer = \"https://id.example.com/\"",
            "grantor.toml: issuer must not end with a slash: write \"https://id.example.com\"",
        ),
        (
            &[("GRANTOR_ISSUER", "https://id.example.com")],
            "",
            "the issuer https://id.example.com is not a loopback address and so needs a database: \
             set database.url, GRANTOR_DATABASE_URL or DATABASE_URL",
        ),
        (
            &[("GRANTOR_SERVER_TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0")],
            "",
            "GRANTOR_SERVER_TRUSTED_PROXIES holds \"0.0.0.0/0\", which holds every address: \
             name the proxies, or anybody can forge X-Forwarded-For",
        ),
        (
            &[],
            "[log]\nformat = \"a\\nb\"\n",
            "grantor.toml: log.format must be \"text\" or \"json\", not \"a\\nb\"",
        ),
        (&[], "\"a\\nb\" = 1", "grantor.toml: unknown key `a\\nb`; docs/configuration.toml lists them all"),
        (
            &[("GRANTOR_MASTER_KEY", "k"), ("GRANTOR_MASTER_KEY_FILE", "/f")],
            "",
            "GRANTOR_MASTER_KEY and GRANTOR_MASTER_KEY_FILE are both set: unset one",
        ),
        (
            &[("GRANTOR_DATABASE_URL", "postgres:///a"), ("GRANTOR_DATABASE_URL_FILE", "/dev/null")],
            "",
            "GRANTOR_DATABASE_URL_FILE is empty: give it a value or unset it",
        ),
        (
            &[("GRANTOR_DATABASE_URL_FILE", "/nowhere/at/all")],
            "",
            "GRANTOR_DATABASE_URL_FILE: cannot read \"/nowhere/at/all\": No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(given(environment).file(file).problems(), [expected], "{file} {environment:?}");
    }
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_line() {
    let problems = given(&[]).file("a = 1\nb = = 2").problems();
    assert!(problems[0].starts_with("grantor.toml: line 2 is not TOML: "), "{problems:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let given = given(&[("GRANTOR_COLOUR", "red")]).file("[log]\nformat = \"xml\"\nlevel = \"info\"");
    assert_eq!(given.problems().len(), 3);
    let text = Config::load(&given.overrides).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_missing_file_is_named_with_who_named_it() {
    let flag = given(&[]).flags(|flags| flags.config = Some("/nowhere.toml".to_owned()));
    assert!(flag.problems()[0].starts_with("cannot read the file \"/nowhere.toml\" that --config names: "));
    let variable = given(&[("GRANTOR_CONFIG", "/nowhere.toml")]);
    assert!(variable.problems()[0].contains("that GRANTOR_CONFIG names: "));
}

#[test]
fn the_state_dir_flag_does_not_silently_replace_a_production_database() {
    let given =
        given(&[("GRANTOR_ISSUER", "https://id.example.com"), ("DATABASE_URL", "postgres:///theirs")]);
    assert_eq!(url(&given.load()), "postgres:///theirs");
    let problems = given.flags(|flags| flags.state_dir = Some("/data".to_owned())).problems();
    assert!(problems[0].starts_with("--state-dir asks for the embedded database"), "{problems:?}");
    assert!(problems[0].ends_with("name the directory by GRANTOR_STATE_DIR instead"), "{problems:?}");
}

#[test]
fn bounds_hold_on_both_sides() {
    for setting in settings() {
        let (inside, outside) = match setting.kind {
            kind::Kind::Integer(min, max) => {
                ([min, max].map(|value| value.to_string()), [min - 1, max + 1].map(|value| value.to_string()))
            }
            kind::Kind::Duration(min, max) | kind::Kind::DurationOrOff(min, max) => (
                [min, max].map(|value| format!("{value}s")),
                [
                    min.checked_sub(1).map_or("-1s".to_owned(), |value| format!("{value}s")),
                    format!("{}s", max + 1),
                ],
            ),
            _ => continue,
        };
        let check = |text: &str| setting.kind.check(setting.kind.read(text), "".as_ref());
        assert!(inside.iter().all(|text| check(text).is_ok()), "{} {inside:?}", setting.path);
        assert!(outside.iter().all(|text| check(text).is_err()), "{} {outside:?}", setting.path);
        assert!(
            ["", "ten", "1.5", "10ms", "1e3"].iter().all(|text| check(text).is_err()),
            "{}",
            setting.path
        );
    }
}

#[test]
fn the_rotation_of_signing_keys_may_be_off() {
    let rotate_every = |given: Given| given.load().keys.rotate_every;
    assert_eq!(rotate_every(given(&[])), Some(Duration::from_secs(90 * 86_400)));
    assert_eq!(rotate_every(given(&[("GRANTOR_KEYS_ROTATE_EVERY", "off")])), None);
    let thirty_days = Some(Duration::from_secs(30 * 86_400));
    assert_eq!(rotate_every(given(&[("GRANTOR_KEYS_ROTATE_EVERY", "30d")])), thirty_days);
    let problems = given(&[("GRANTOR_KEYS_ROTATE_EVERY", "9m")]).problems();
    assert!(problems[0].contains("keys.rotate_every (9m) is below keys.jwks_max_age (10m)"), "{problems:?}");
    for text in ["0s", "Off", "never", "401d"] {
        let problems = given(&[("GRANTOR_KEYS_ROTATE_EVERY", text)]).problems();
        assert!(problems[0].contains("or \"off\""), "{problems:?}");
    }
}

#[test]
fn variables_of_a_container_platform_are_not_ours() {
    given(&[
        ("GRANTOR_SERVICE_HOST", "10.0.0.1"),
        ("GRANTOR_SERVICE_PORT", "80"),
        ("GRANTOR_SERVICE_PORT_HTTP", "80"),
        ("GRANTOR_PORT", "tcp://10.0.0.1:80"),
        ("GRANTOR_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("GRANTOR_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("GRANTOR_METRICS_SERVICE_HOST", "10.0.0.1"),
    ])
    .load();
    assert_eq!(given(&[("GRANTOR_PORT", "8080")]).problems().len(), 1);
    assert_eq!(given(&[("GRANTOR_PORT_A_TCP", "8080")]).problems().len(), 1);
}

#[test]
fn relative_paths_in_the_file_are_relative_to_it() {
    let given = given(&[("GRANTOR_STATE_DIR", "state")]);
    let given = given.file("[keys]\nmaster_key_files = [\"new.key\", \"/old.key\"]");
    let config = given.load();
    let file = |path: PathBuf| MasterKeyValue::File(path);
    let values: Vec<_> = config.keys.master_keys.iter().map(|source| source.value.clone()).collect();
    assert_eq!(values, [file(given.directory.path().join("new.key")), file("/old.key".into())]);
    assert_eq!(config.state_dir, std::env::current_dir().unwrap().join("state"));
}

#[test]
fn master_keys_of_the_environment_replace_the_files() {
    let file = "[keys]\nmaster_key_files = [\"/file.key\"]";
    for (environment, origin, value) in [
        (
            ("GRANTOR_MASTER_KEY", "one\ntwo"),
            "environment GRANTOR_MASTER_KEY",
            MasterKeyValue::Inline(crate::secret::Secret::new("one\ntwo".to_owned())),
        ),
        (
            ("GRANTOR_MASTER_KEY_FILE", "/env.key"),
            "/env.key (environment GRANTOR_MASTER_KEY_FILE)",
            MasterKeyValue::File("/env.key".into()),
        ),
    ] {
        let config = given(&[environment]).file(file).load();
        assert_eq!(config.keys.master_keys, [MasterKeySource { origin: origin.to_owned(), value }]);
    }
}

#[test]
fn the_default_issuer_follows_the_port_and_tls() {
    let config = given(&[("GRANTOR_LISTEN", "0.0.0.0:0")]).load().with_bound_port(4711);
    assert_eq!(config.issuer.as_str(), "http://localhost:4711");
    let tls = given(&[("GRANTOR_LISTEN", "[::]:8443")]).flags(|flags| {
        flags.tls_cert = Some("/cert.pem".to_owned());
        flags.tls_key = Some("/key.pem".to_owned());
    });
    assert_eq!(tls.load().issuer.as_str(), "https://localhost:8443");
    let fixed = tls.variable("GRANTOR_ISSUER", "https://localhost:9").load().with_bound_port(8443);
    assert_eq!(fixed.issuer.as_str(), "https://localhost:9");
}

#[test]
fn an_http_issuer_beside_tls_is_a_contradiction() {
    let given = given(&[("GRANTOR_ISSUER", "http://localhost:8443")]).flags(|flags| {
        flags.tls_cert = Some("/cert.pem".to_owned());
        flags.tls_key = Some("/key.pem".to_owned());
    });
    assert_eq!(given.problems().len(), 1);
}

#[test]
fn what_is_shown_can_be_read_again() {
    let given = given(&[
        ("GRANTOR_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1"),
        ("GRANTOR_SERVER_WORKERS", "3"),
    ])
    .file("[log]\nfilter = \"info,grantor=debug\"");
    let config = given.load();
    let shown = config.to_toml_hiding_secrets();
    assert!(shown.contains("workers = 3 # environment GRANTOR_SERVER_WORKERS\n"), "{shown}");
    assert!(shown.contains("code_lifetime = \"60s\" # default\n"), "{shown}");
    assert!(shown.contains("# url is not set\n"), "{shown}");
    let again = self::given(&[]).file(&shown).load();
    assert_eq!(again.server.trusted_proxies, config.server.trusted_proxies);
    assert_eq!((&again.issuer, &again.log, &again.tokens), (&config.issuer, &config.log, &config.tokens));
    let json = config.to_json_hiding_secrets();
    assert_eq!(json["server.workers"]["value"], 3);
    assert_eq!(json["database.url"]["value"], serde_json::Value::Null);
    assert_eq!(json.as_object().unwrap().len(), settings().count());
}
