//! What the command line and the environment say.

use std::collections::BTreeMap;

use nix::unistd::geteuid;

/// Flags and environment of this process, as values, so that loading a configuration is a function of them and
/// the file alone. There is no `Debug`: the environment holds secrets.
#[derive(Clone, Default)]
pub struct Overrides {
    /// `--config FILE`
    pub config: Option<String>,
    /// `--listen ADDRESS:PORT`
    pub listen: Option<String>,
    /// `--issuer URL`
    pub issuer: Option<String>,
    /// `--state-dir DIRECTORY`
    pub state_dir: Option<String>,
    /// `--database-url URL`
    pub database_url: Option<String>,
    /// `--tls-cert FILE`
    pub tls_cert: Option<String>,
    /// `--tls-key FILE`
    pub tls_key: Option<String>,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// Whether the process runs as root, which decides the default state directory.
    pub is_root: bool,
}

impl Overrides {
    /// No flag, and the environment of this process.
    pub fn from_process() -> Self {
        let environment = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self { environment, is_root: geteuid().is_root(), ..Self::default() }
    }

    /// The flag that sets this setting, and its value.
    pub(super) fn flag(&self, path: &str) -> Option<(&'static str, &str)> {
        let (name, value) = match path {
            "issuer" => ("--issuer", &self.issuer),
            "state_dir" => ("--state-dir", &self.state_dir),
            "server.listen" => ("--listen", &self.listen),
            "server.tls_cert" => ("--tls-cert", &self.tls_cert),
            "server.tls_key" => ("--tls-key", &self.tls_key),
            "database.url" => ("--database-url", &self.database_url),
            _ => return None,
        };
        value.as_deref().map(|value| (name, value))
    }

    /// Whether the flags rule out every weaker value of this setting: `--state-dir` asks for the embedded database.
    pub(super) fn flags_unset(&self, path: &str) -> bool {
        path == "database.url" && self.state_dir.is_some()
    }

    /// The file to read and who named it: `--config` or `GRANTOR_CONFIG`.
    pub(super) fn file(&self) -> Option<(&'static str, &str)> {
        let flag = self.config.as_deref().map(|file| ("--config", file));
        flag.or_else(|| self.environment.get(FILE_VARIABLE).map(|file| (FILE_VARIABLE, file.as_str())))
    }

    /// An environment variable that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Names the configuration file.
pub(super) const FILE_VARIABLE: &str = "GRANTOR_CONFIG";
