//! Logs to standard error, as text or JSON.

use std::any::Any;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// Libraries that tell much below `warn`, and on `debug` and `trace` even frames with cookies and tokens or SQL.
const QUIET: &str = "actix_server=warn,actix_web=warn,h2=warn,mio=warn,rustls=warn,sqlx=warn";

/// It calls an error what anybody can send, such as a head that is too long, and answers it.
const SILENT: &str = "actix_http=off";

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `log.filter` is not a filter; `Config::load` refuses such a one.
    #[error("log.filter is not a list of levels: {0}")]
    Filter(#[from] ParseError),
    /// Something else in this process has started logging before.
    #[error("logging has started already: {0}")]
    Started(#[from] TryInitError),
}

/// Starts logging, for the whole process and once. From then on a panic is logged too.
///
/// # Errors
/// If logging has started already.
pub fn init(log: &Log) -> Result<(), LogError> {
    let builder =
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter(&log.filter)?);
    match log.format {
        LogFormat::Text => builder.with_ansi(wants_colour()).finish().try_init()?,
        LogFormat::Json => {
            builder
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .finish()
                .try_init()?;
        }
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// The operator's directives over [`SILENT`] and [`QUIET`]: who wants to hear a library names it. Below `info` the
/// libraries have nothing more to say than the operator asked for.
fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    let level = EnvFilter::try_new(directives)?.max_level_hint();
    if level.is_some_and(|level| level < LevelFilter::INFO) {
        return EnvFilter::try_new(format!("{SILENT},{directives}"));
    }
    EnvFilter::try_new(format!("{SILENT},{QUIET},{directives}"))
}

fn wants_colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(%location, reason = shown_message(panic.payload()), "panic");
}

/// A message that was put together while running may hold anything, also a secret; one that stands in the
/// source code may be shown.
fn shown_message(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(a message that may hold data, not shown)")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written under this filter.
    fn logged(directives: &str, events: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(directives).unwrap())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, events);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn events() {
        tracing::debug!(target: "sqlx::query", "statement");
        tracing::trace!(target: "h2::codec", "frame");
        tracing::warn!(target: "sqlx::query", "slow");
        tracing::debug!(target: "grantor::web", "detail");
        tracing::error!(target: "grantor::web", "trouble");
        tracing::error!(target: "actix_http::h1::decoder", "junk");
    }

    #[test]
    fn libraries_are_quiet_unless_they_are_named() {
        for (directives, expected) in [
            ("info", ["slow", "trouble"].as_slice()),
            ("trace", &["slow", "detail", "trouble"]),
            ("debug,sqlx=debug", &["statement", "slow", "detail", "trouble"]),
            ("warn,h2=trace", &["frame", "slow", "trouble"]),
            ("error", &["trouble"]),
            ("error,actix_http=error", &["trouble", "junk"]),
            ("info,actix_http=warn", &["slow", "trouble", "junk"]),
            ("off", &[]),
        ] {
            let text = logged(directives, events);
            let words: Vec<_> = text.lines().filter_map(|line| line.split_whitespace().last()).collect();
            assert_eq!(words, expected, "{directives}");
        }
    }

    #[test]
    fn a_panic_shows_only_a_message_from_the_source_code() {
        let secret = String::from("hunter2");
        let literal = std::panic::catch_unwind(|| panic!("a fixed message")).unwrap_err();
        let formatted = std::panic::catch_unwind(|| panic!("cannot use {secret}")).unwrap_err();
        assert_eq!(shown_message(&*literal), "a fixed message");
        assert!(!shown_message(&*formatted).contains("hunter2"));
    }
}
