//! The configuration file.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::ConfigError;
use super::names;
use super::overrides::Overrides;

/// A file that was read.
pub(super) struct File {
    /// As it was named, for messages.
    pub name: String,
    /// Its directory: relative paths in it are relative to this.
    pub directory: PathBuf,
    table: Table,
}

impl File {
    /// Reads the file that a flag or the environment names, if any.
    pub fn read(overrides: &Overrides) -> Result<Option<Self>, ConfigError> {
        let Some((origin, name)) = overrides.file() else { return Ok(None) };
        let text = std::fs::read_to_string(name)
            .map_err(|error| format!("cannot read the file \"{name}\" that {origin} names: {error}"))?;
        // The parser's own report quotes the line, which may hold a password.
        let table = text.parse::<Table>().map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| 1 + text.as_bytes()[..span.start].iter().filter(|b| **b == b'\n').count());
            format!("{name}: line {line} is not TOML: {}", error.message().replace('\n', " "))
        })?;
        let directory = Path::new(name).parent().map(Path::to_owned).unwrap_or_default();
        Ok(Some(Self { name: name.to_owned(), directory, table }))
    }

    /// The value of a setting.
    pub fn get(&self, section: &str, key: &str) -> Option<&Value> {
        match section {
            "" => self.table.get(key),
            section => self.table.get(section)?.get(key),
        }
    }

    /// Reports every name that is no setting.
    pub fn report_unknown(&self, problems: &mut Vec<String>) {
        for (name, value) in &self.table {
            match value {
                Value::Table(section) if names::is_section(name) => {
                    let paths = section.keys().map(|key| format!("{name}.{key}"));
                    problems.extend(paths.filter_map(|path| self.unknown(&path)));
                }
                _ if names::is_section(name) => {
                    problems.push(format!("{}: `{name}` is a section: write it as [{name}]", self.name));
                }
                Value::Table(_) => problems.push(self.unknown_section(name)),
                _ => problems.extend(self.unknown(name)),
            }
        }
    }

    fn unknown(&self, path: &str) -> Option<String> {
        let problem = names::unknown_key(path)?;
        Some(format!("{}: {problem}", self.name))
    }

    fn unknown_section(&self, name: &str) -> String {
        format!("{}: {}", self.name, names::unknown_section(name))
    }
}
