//! The kinds of values: how each is written, and the check of a single value.

use std::net::SocketAddr;
use std::path::Path;

use toml::Value;

use super::duration;
use super::issuer::Issuer;
use super::log::check_filter;
use super::outgoing::check_origin;
use super::server::parse_network;
use crate::protocol::ScopeSet;
use crate::protocol::resource::check_resource;

/// The kind of a setting's value.
pub(super) enum Kind {
    Issuer,
    DatabaseUrl,
    /// One or more keys in base64, separated by white space.
    MasterKey,
    Flag,
    /// From and to this number.
    Integer(i64, i64),
    /// From and to this number of seconds.
    Duration(u64, u64),
    /// A duration from … to …, in seconds, or `off`.
    DurationOrOff(u64, u64),
    /// An IP address and a port.
    Address,
    Path,
    Paths,
    Networks,
    /// Scheme, host and port.
    Origins,
    /// Names separated by blanks (RFC 6749 §3.3).
    Scopes,
    /// Resource indicators (RFC 8707 §2).
    Resources,
    OneOf(&'static [&'static str]),
    LogFilter,
}

impl Kind {
    /// Whether the value may never be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::DatabaseUrl | Self::MasterKey)
    }

    /// Whether an empty text is an empty list and not a mistake.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Paths | Self::Networks | Self::Origins | Self::Resources)
    }

    /// What a value looks like, after "must be".
    pub fn expected(&self) -> String {
        match self {
            Self::Issuer => "a URL such as \"https://id.example.com\"".into(),
            Self::DatabaseUrl => "a URL that begins with postgres:// or postgresql://".into(),
            Self::MasterKey => "one or more keys in base64, separated by white space".into(),
            Self::Flag => "true or false".into(),
            Self::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Self::Duration(min, max) => {
                let (min, max) = (duration::format(*min), duration::format(*max));
                format!("a duration (s, m, h or d) from \"{min}\" to \"{max}\"")
            }
            Self::DurationOrOff(min, max) => {
                format!("{} or \"{}\"", Self::Duration(*min, *max).expected(), duration::OFF)
            }
            Self::Address => "an IP address and a port such as \"127.0.0.1:8080\" or \"[::]:8080\"".into(),
            Self::Path => "the path of a file or directory".into(),
            Self::Paths => "a list of paths".into(),
            Self::Networks => "a list of IP networks such as \"10.0.0.0/8\" or addresses".into(),
            Self::Origins => "a list of origins such as \"https://keys.internal:8443\"".into(),
            Self::Scopes => "names of scopes, separated by blanks".into(),
            Self::Resources => "a list of absolute URIs without a fragment".into(),
            Self::OneOf(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
            Self::LogFilter => "levels such as \"info\" or \"info,grantor=debug\"".into(),
        }
    }

    /// Text of the environment or of a flag, as a value of the file. Lists are separated by commas.
    pub fn read(&self, text: &str) -> Value {
        let typed = match self {
            Self::Flag => text.parse().ok().map(Value::Boolean),
            Self::Integer(..) => text.parse().ok().map(Value::Integer),
            Self::Paths | Self::Networks | Self::Origins | Self::Resources => Some(list(text)),
            _ => None,
        };
        typed.unwrap_or_else(|| Value::String(text.to_owned()))
    }

    /// Checks a value; relative paths become absolute below `base`.
    ///
    /// # Errors
    /// What the value must be, in words that follow the setting's name and never hold a secret.
    pub fn check(&self, value: Value, base: &Path) -> Result<Value, String> {
        match (self, value) {
            (Self::Issuer, Value::String(text)) => match text.parse::<Issuer>() {
                Ok(issuer) => Ok(Value::String(issuer.to_string())),
                Err(error) => Err(error.to_string()),
            },
            (Self::LogFilter, Value::String(text)) => check_filter(&text).map(|()| Value::String(text)),
            (Self::Path, Value::String(path)) if !path.is_empty() => absolute(&path, base),
            (Self::Paths, Value::Array(paths)) => {
                let paths = paths.into_iter().map(|path| Self::Path.check(path, base));
                paths.collect::<Result<_, _>>().map(Value::Array)
            }
            (Self::Networks, Value::Array(networks)) => {
                networks.iter().try_for_each(check_network).map(|()| Value::Array(networks))
            }
            (Self::Origins, Value::Array(origins)) => {
                origins.iter().try_for_each(check_origin_value).map(|()| Value::Array(origins))
            }
            (Self::Resources, Value::Array(resources)) => {
                resources.iter().try_for_each(check_resource_value).map(|()| Value::Array(resources))
            }
            (_, value) if self.accepts(&value) => Ok(value),
            (_, value) => Err(format!("must be {}, not {}", self.expected(), self.describe(&value))),
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::DatabaseUrl, Value::String(text)) => {
                text.starts_with("postgres://") || text.starts_with("postgresql://")
            }
            (Self::MasterKey, Value::String(text)) => !text.trim().is_empty(),
            (Self::Flag, Value::Boolean(_)) => true,
            (Self::Integer(min, max), Value::Integer(number)) => (min..=max).contains(&number),
            (Self::Duration(min, max), Value::String(text)) => {
                duration::parse(text).is_some_and(|duration| (*min..=*max).contains(&duration.as_secs()))
            }
            (Self::DurationOrOff(_, _), Value::String(text)) if text == duration::OFF => true,
            (Self::DurationOrOff(min, max), value) => Self::Duration(*min, *max).accepts(value),
            (Self::Address, Value::String(text)) => text.parse::<SocketAddr>().is_ok(),
            (Self::Scopes, Value::String(text)) => ScopeSet::parse(text).is_ok(),
            (Self::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
            _ => false,
        }
    }

    /// The refused value; of a secret only its type.
    fn describe(&self, value: &Value) -> String {
        match value {
            Value::Integer(_) | Value::Boolean(_) if !self.is_secret() => value.to_string(),
            // Not in TOML's own form, which may take several lines.
            Value::String(text) if !self.is_secret() => format!("{text:?}"),
            Value::String(_) if self.is_secret() => "this text (not shown, it is a secret)".into(),
            other => format!("a value of type {}", other.type_str()),
        }
    }
}

fn list(text: &str) -> Value {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    Value::Array(entries.map(|entry| Value::String(entry.to_owned())).collect())
}

fn check_network(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| format!("must be {}", Kind::Networks.expected()))?;
    parse_network(text).map(drop).map_err(|problem| format!("holds {text:?}, which {problem}"))
}

fn check_origin_value(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| format!("must be {}", Kind::Origins.expected()))?;
    check_origin(text).map_err(|problem| format!("holds {text:?}, which {problem}"))
}

fn check_resource_value(value: &Value) -> Result<(), String> {
    let text = value.as_str().ok_or_else(|| format!("must be {}", Kind::Resources.expected()))?;
    check_resource(text).map_err(|problem| format!("holds {text:?}, which is refused: {problem}"))
}

fn absolute(path: &str, base: &Path) -> Result<Value, String> {
    let joined =
        std::path::absolute(base.join(path)).map_err(|error| format!("cannot be resolved: {error}"))?;
    // Both parts come from text, and the working directory alone could be something else.
    let text =
        joined.to_str().ok_or("lies below a directory whose name is not UTF-8: give an absolute path")?;
    Ok(Value::String(text.to_owned()))
}
