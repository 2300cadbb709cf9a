//! The configuration as text: what is in force, and the reference file.

use serde_json::json;
use toml::Value;

use super::resolve::Resolved;
use super::setting::{Section, Setting};
use super::{Config, SECTIONS, settings};

const HIDDEN: &str = "[hidden]";
const WIDTH: usize = 100;

/// A setting in force, without the value of a secret.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    path: &'static str,
    value: Option<Value>,
    source: String,
}

/// Every setting, in the order of the reference file.
pub(super) fn shown(resolved: &Resolved) -> Vec<Shown> {
    let shown = settings().map(|setting| match resolved.get(setting.path) {
        None => Shown { path: setting.path, value: None, source: "not set".to_owned() },
        Some(given) => {
            let hidden = setting.kind.is_secret().then(|| Value::String(HIDDEN.to_owned()));
            let value = Some(hidden.unwrap_or_else(|| given.value.clone()));
            Shown { path: setting.path, value, source: given.source.to_string() }
        }
    });
    shown.collect()
}

impl Config {
    /// The configuration in force as TOML, each line with who gave it; secrets are hidden.
    pub fn to_toml_hiding_secrets(&self) -> String {
        let mut text = String::new();
        let mut section = "";
        for Shown { path, value, source } in &self.shown {
            let (of, key) = path.split_once('.').unwrap_or(("", path));
            if of != section {
                section = of;
                text.push_str(&format!("\n[{section}]\n"));
            }
            text.push_str(&match value {
                Some(value) => format!("{key} = {value} # {source}\n"),
                None => format!("# {key} is {source}\n"),
            });
        }
        text
    }

    /// The configuration in force as JSON: `{"tokens.code_lifetime": {"value": "60s", "source": "default"}, …}`.
    /// Secrets are hidden.
    pub fn to_json_hiding_secrets(&self) -> serde_json::Value {
        let entries = self.shown.iter().map(|Shown { path, value, source }| {
            ((*path).to_owned(), json!({ "value": value, "source": source }))
        });
        serde_json::Value::Object(entries.collect())
    }
}

/// The reference file: every setting with its default, meaning, bounds and names in the environment.
pub fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    SECTIONS.iter().for_each(|section| write_section(&mut text, section));
    text
}

const INTRODUCTION: &str = "\
# Grantor's configuration: every setting with its default. A line that is commented out has no fixed default.
#
# Grantor reads the file that --config or GRANTOR_CONFIG names; without one it uses the defaults.
# A flag counts more than a GRANTOR_ variable, that more than DATABASE_URL, and that more than this file.
# A duration is one whole number and one unit: \"30s\", \"10m\", \"12h\", \"90d\".
# A variable whose name ends in _FILE names a file that holds the value. Unknown names are refused.
# `grantor config show` prints what is in force and where each value comes from; `grantor config check` only checks.
";

fn write_section(text: &mut String, section: &Section) {
    text.push('\n');
    write_comment(text, section.meaning);
    let name = section.settings.first().map_or("", |setting| setting.section_and_key().0);
    if !name.is_empty() {
        text.push_str(&format!("[{name}]\n"));
    }
    section.settings.iter().for_each(|setting| write_setting(text, setting));
}

fn write_setting(text: &mut String, setting: &Setting) {
    text.push('\n');
    write_comment(text, setting.meaning);
    write_comment(text, &format!("Value: {}.", setting.kind.expected()));
    let mut names: Vec<String> = setting.variables().into_iter().map(|variable| variable.name).collect();
    names.extend(setting.fallback.map(str::to_owned));
    write_comment(text, &format!("Environment: {}.", names.join(", ")));
    let key = setting.section_and_key().1;
    match setting.default {
        Some(default) => text.push_str(&format!("{key} = {}\n", setting.kind.read(default))),
        None if setting.in_file => {
            text.push_str(&format!("# {key} = {}\n", setting.kind.read(setting.example)));
        }
        None => text.push_str(&format!("# {key} may not stand in this file.\n")),
    }
}

/// Wraps words into comment lines.
fn write_comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
