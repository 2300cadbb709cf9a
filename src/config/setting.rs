//! What a setting is: its name in the file and in the environment, the kind of its value, default and meaning.
//!
//! Every section has a table of its settings. The tables drive the file, the environment, the checks of single
//! values, suggestions for misspelt names, `config show` and the reference file.

use super::kind::Kind;

/// A section of the file and its settings.
pub(super) struct Section {
    /// What it is about, in a sentence.
    pub meaning: &'static str,
    pub settings: &'static [Setting],
}

/// One setting.
pub(super) struct Setting {
    /// `section.key`, or `key` alone at the top of the file.
    pub path: &'static str,
    pub kind: Kind,
    /// As it would be written in the environment.
    pub default: Option<&'static str>,
    /// Shown in the reference where there is no default.
    pub example: &'static str,
    /// One or more sentences for the reference.
    pub meaning: &'static str,
    /// More names in the environment, beside the one made from the path.
    pub also: &'static [&'static str],
    /// A variable of other programs that counts less than `GRANTOR_…` and more than the file.
    pub fallback: Option<&'static str>,
    /// Whether it may stand in the file.
    pub in_file: bool,
}

/// A name in the environment.
pub(super) struct Variable {
    pub name: String,
    /// Whether the variable names a file that holds the value.
    pub names_a_file: bool,
}

impl Setting {
    /// A setting with a default.
    pub const fn new(path: &'static str, kind: Kind, default: &'static str, meaning: &'static str) -> Self {
        let default = Some(default);
        Self { path, kind, default, example: "", meaning, also: &[], fallback: None, in_file: true }
    }

    /// A setting that may be absent.
    pub const fn optional(
        path: &'static str,
        kind: Kind,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { path, kind, default: None, example, meaning, also: &[], fallback: None, in_file: true }
    }

    /// More names in the environment.
    pub const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    /// The variable that other programs use for this.
    pub const fn fallback(self, variable: &'static str) -> Self {
        Self { fallback: Some(variable), ..self }
    }

    /// Not to be written in the configuration file.
    pub const fn environment_only(self) -> Self {
        Self { in_file: false, ..self }
    }

    /// The section, empty at the top of the file, and the key in it.
    pub fn section_and_key(&self) -> (&'static str, &'static str) {
        self.path.split_once('.').unwrap_or(("", self.path))
    }

    /// All its names in the environment, the short ones first. At most one may be set.
    pub fn variables(&self) -> Vec<Variable> {
        let derived = format!("GRANTOR_{}", self.path.replace('.', "_").to_uppercase());
        let names = self.also.iter().map(|name| (*name).to_owned()).chain([derived]);
        let mut variables: Vec<_> = names.map(|name| Variable { name, names_a_file: false }).collect();
        // The master key has a setting of its own for files, which the reader of keys opens itself.
        if self.kind.is_secret() && self.in_file {
            let name = format!("{}_FILE", variables[0].name);
            variables.push(Variable { name, names_a_file: true });
        }
        variables
    }
}
