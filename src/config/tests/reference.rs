//! The reference file holds every setting and its default, and nothing else.

use super::given;
use crate::config::*;

const REFERENCE: &str = include_str!("../../../docs/configuration.toml");

/// After a change of a setting: `grantor config reference > docs/configuration.toml`.
#[test]
fn the_reference_file_is_up_to_date() {
    assert_eq!(REFERENCE, reference());
}

#[test]
fn the_reference_file_is_the_defaults() {
    let values: toml::Table = REFERENCE.parse().unwrap();
    for setting in settings() {
        let (section, key) = setting.section_and_key();
        let value = if section.is_empty() { values.get(key) } else { values[section].get(key) };
        let default = setting.default.map(|text| setting.kind.read(text));
        assert_eq!(value, default.as_ref(), "{}", setting.path);
    }
    let (by_file, by_default) = (given(&[]).file(REFERENCE).load(), given(&[]).load());
    let sections = |config: &Config| {
        let Config {
            issuer,
            state_dir,
            server,
            database,
            keys,
            tokens,
            sessions,
            passwords,
            registration,
            outgoing,
            limits,
            log,
            audit,
            ..
        } = config.clone();
        let server = Server { metrics_listen_given: false, ..server };
        format!(
            "{issuer:?} {state_dir:?} {server:?} {database:?} {keys:?} {tokens:?} {sessions:?} {passwords:?} \
             {registration:?} {outgoing:?} {limits:?} {log:?} {audit:?}"
        )
    };
    assert_eq!(sections(&by_file), sections(&by_default));
}

#[test]
fn every_commented_example_is_a_good_value() {
    for setting in settings().filter(|setting| setting.default.is_none() && setting.in_file) {
        assert!(
            setting.kind.check(setting.kind.read(setting.example), "/".as_ref()).is_ok(),
            "{}",
            setting.path
        );
    }
}
