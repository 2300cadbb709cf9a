//! From flags, environment, file and defaults to one checked value per setting.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use toml::{Table, Value};

use super::error::ConfigError;
use super::file::File;
use super::overrides::Overrides;
use super::setting::Setting;
use super::{names, settings};

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Default,
    File(String),
    Environment(String),
    Flag(&'static str),
}

impl Source {
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Environment(_))
    }

    /// Where to look, for an error about this setting.
    pub fn place(&self, path: &str) -> String {
        match self {
            Self::Default => path.to_owned(),
            Self::File(name) => format!("{name}: {path}"),
            Self::Environment(name) => name.clone(),
            Self::Flag(name) => (*name).to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(name) => write!(f, "file {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value and who gave it.
pub(super) struct Given {
    pub value: Value,
    pub source: Source,
}

impl Given {
    /// Whether somebody gave it.
    pub fn is_given(&self) -> bool {
        self.source != Source::Default
    }
}

/// The checked value of every setting that has one.
pub(super) struct Resolved(BTreeMap<&'static str, Given>);

impl Resolved {
    /// Takes the strongest value of each setting and checks it.
    ///
    /// # Errors
    /// Every unknown name and every wrong value.
    pub fn new(overrides: &Overrides) -> Result<Self, ConfigError> {
        let file = File::read(overrides)?;
        let mut problems = names::unknown_variables(overrides.environment.iter());
        if let Some(file) = &file {
            file.report_unknown(&mut problems);
        }
        let mut values = BTreeMap::new();
        for setting in settings() {
            match strongest(setting, overrides, file.as_ref()) {
                Ok(Some(given)) => drop(values.insert(setting.path, given)),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        ConfigError::unless_empty(problems)?;
        Ok(Self(values))
    }

    pub fn get(&self, path: &str) -> Option<&Given> {
        self.0.get(path)
    }

    /// The value, which is then no longer part of the configuration.
    pub fn take(&mut self, path: &str) -> Option<Given> {
        self.0.remove(path)
    }

    /// A default that depends on other values.
    pub fn set_default(&mut self, path: &'static str, text: String) {
        self.0.entry(path).or_insert(Given { value: Value::String(text), source: Source::Default });
    }

    /// All values, as the file would hold them.
    pub fn into_value(self) -> Value {
        let mut root = Table::new();
        for (path, given) in self.0 {
            let (section, key) = path.split_once('.').unwrap_or(("", path));
            let table = match section {
                "" => Some(&mut root),
                _ => root.entry(section).or_insert_with(|| Value::Table(Table::new())).as_table_mut(),
            };
            if let Some(table) = table {
                table.insert(key.to_owned(), given.value);
            }
        }
        Value::Table(root)
    }
}

/// Flag > `GRANTOR_…` > the variable of other programs > file > default.
fn strongest(setting: &Setting, overrides: &Overrides, file: Option<&File>) -> Result<Option<Given>, String> {
    let text = match overrides.flag(setting.path) {
        Some((name, text)) => Some((Source::Flag(name), text.to_owned())),
        None if overrides.flags_unset(setting.path) => return Ok(None),
        None => from_environment(setting, overrides)?,
    };
    if let Some((source, text)) = text {
        return check(setting, setting.kind.read(&text), source, Path::new("")).map(Some);
    }
    let (section, key) = setting.section_and_key();
    if let Some((file, value)) = file.and_then(|file| Some((file, file.get(section, key)?))) {
        return check(setting, value.clone(), Source::File(file.name.clone()), &file.directory).map(Some);
    }
    let default = setting.default.map(|text| setting.kind.read(text));
    default.map(|value| check(setting, value, Source::Default, Path::new(""))).transpose()
}

fn check(setting: &Setting, value: Value, source: Source, base: &Path) -> Result<Given, String> {
    match setting.kind.check(value, base) {
        Ok(value) => Ok(Given { value, source }),
        Err(problem) => Err(format!("{} {problem}", source.place(setting.path))),
    }
}

fn from_environment(setting: &Setting, overrides: &Overrides) -> Result<Option<(Source, String)>, String> {
    let mut found = None;
    for variable in setting.variables() {
        let Some(text) = overrides.environment.get(&variable.name) else { continue };
        let text = if variable.names_a_file { read_secret(&variable.name, text)? } else { text.clone() };
        if text.is_empty() && !setting.kind.is_list() {
            return Err(format!("{} is empty: give it a value or unset it", variable.name));
        }
        if let Some((Source::Environment(other), _)) = found {
            return Err(format!("{other} and {} are both set: unset one", variable.name));
        }
        found = Some((Source::Environment(variable.name), text));
    }
    let fallback = || {
        let name = setting.fallback?;
        Some((Source::Environment(name.to_owned()), overrides.variable(name)?.to_owned()))
    };
    Ok(found.or_else(fallback))
}

fn read_secret(variable: &str, path: &str) -> Result<String, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(format!("{variable}: cannot read \"{path}\": {error}")),
    }
}
