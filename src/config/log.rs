//! `[log]`: what is logged, and how.

use serde::Deserialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "What is logged to standard error, and how.",
    settings: &[
        Setting::new(
            "log.format",
            Kind::OneOf(&["text", "json"]),
            "text",
            "Lines for people or JSON objects.",
        ),
        Setting::new(
            "log.filter",
            Kind::LogFilter,
            "info",
            "A level (off, error, warn, info, debug, trace), then exceptions such as \"info,grantor=debug\". \
             The HTTP, TLS and database libraries stay at warn unless named.",
        ),
    ],
};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Directives as of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// Refuses what the filter's parser refuses, and a word that is no level: the parser would take `inof` for the
/// name of a library and log nothing else.
pub(super) fn check_filter(filter: &str) -> Result<(), String> {
    for directive in filter.split(',').filter(|directive| !directive.contains(['=', '['])) {
        let is_word = directive.starts_with(|first: char| first.is_ascii_alphabetic());
        if !is_word || directive.parse::<LevelFilter>().is_err() {
            return Err(format!("has {directive:?} where off, error, warn, info, debug or trace belongs"));
        }
    }
    EnvFilter::try_new(filter)
        .map(drop)
        .map_err(|_| "is not a list of levels such as \"info,grantor=debug\"".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels_and_exceptions() {
        for filter in
            ["info", "off", "warn,grantor=debug", "info,sqlx::query=debug,h2=off", "[request]=trace"]
        {
            assert_eq!(check_filter(filter), Ok(()), "{filter}");
        }
        for filter in ["", "inof", "3", "info,", "grantor", "grantor=loud", "info;debug"] {
            assert!(check_filter(filter).is_err(), "{filter}");
        }
    }
}
