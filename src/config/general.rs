//! The settings at the top of the file.

use super::kind::Kind;
use super::overrides::Overrides;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "These stand at the top of the file, before any section.",
    settings: &[
        Setting::optional(
            "issuer",
            Kind::Issuer,
            "https://id.example.com",
            "The address by which browsers, apps and APIs reach Grantor: the root of every link, cookie and token. \
             It is used exactly as written here, and nothing is ever taken from the Host header. It has no path and \
             no slash at the end, and is https unless the host is localhost, 127.0.0.0/8 or [::1]. \
             Default: http://localhost:PORT with the port of server.listen, https if server.tls_cert is given.",
        ),
        Setting::optional(
            "state_dir",
            Kind::Path,
            "/var/lib/grantor",
            "Where the embedded database and a generated master key lie. A relative path here is relative to this file, \
             in the environment or on the command line to the working directory; so are all paths. As a flag, \
             --state-dir asks for the embedded database there, whatever database is configured elsewhere. \
             Default: /var/lib/grantor for root, else $XDG_STATE_HOME/grantor or ~/.local/state/grantor.",
        ),
    ],
};

/// The state directory where none is given.
pub(super) fn default_state_dir(overrides: &Overrides) -> String {
    if overrides.is_root {
        return "/var/lib/grantor".to_owned();
    }
    // The base directory specification says to ignore a relative XDG_STATE_HOME.
    let base = overrides.variable("XDG_STATE_HOME").filter(|path| path.starts_with('/')).map(str::to_owned);
    let base = base.or_else(|| overrides.variable("HOME").map(|home| format!("{home}/.local/state")));
    base.map_or_else(|| "/var/lib/grantor".to_owned(), |base| format!("{base}/grantor"))
}
