//! `[server]`: listeners, TLS, proxies and time limits.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::duration::{self, MINUTE};
use super::kind::Kind;
use super::setting::{Section, Setting};

pub(super) const SECTION: Section = Section {
    meaning: "Listeners, TLS, proxies and time limits.",
    settings: &[
        Setting::new(
            "server.listen",
            Kind::Address,
            "127.0.0.1:8080",
            "Where to accept HTTP requests. Port 0 lets the system choose a free one.",
        )
        .also(&["GRANTOR_LISTEN"]),
        Setting::optional(
            "server.tls_cert",
            Kind::Path,
            "/etc/grantor/tls/fullchain.pem",
            "The certificate chain in PEM; together with tls_key it makes the listener speak TLS. \
             Both files are read again when they change. Without them TLS ends at a proxy.",
        ),
        Setting::optional(
            "server.tls_key",
            Kind::Path,
            "/etc/grantor/tls/privkey.pem",
            "The private key of tls_cert in PEM.",
        ),
        Setting::new(
            "server.trusted_proxies",
            Kind::Networks,
            "",
            "Proxies whose X-Forwarded-For is believed, for logs and for slowing down password guessing. \
             In the environment separated by commas. Networks that hold every address are refused.",
        ),
        Setting::optional(
            "server.workers",
            Kind::Integer(1, 1024),
            "4",
            "Threads that serve requests. Default: one per processor, and fewer if database.max_connections is \
             too small to give each its share.",
        ),
        Setting::new(
            "server.metrics_listen",
            Kind::Address,
            "127.0.0.1:9464",
            "Where /metrics is answered, in Prometheus' text format, without authentication: keep it private.",
        ),
        Setting::new(
            "server.request_timeout",
            Kind::Duration(1, 5 * MINUTE),
            "5s",
            "How long a client may take to send the body of its request, and then how long the answer may take: \
             what is not done by then is answered with 503.",
        ),
        Setting::new(
            "server.keep_alive",
            Kind::Duration(1, 10 * MINUTE),
            "75s",
            "How long a connection may rest between two requests. Let it be longer than a proxy keeps its own.",
        ),
        Setting::new(
            "server.drain_delay",
            Kind::Duration(0, 10 * MINUTE),
            "3s",
            "How long after SIGTERM requests are still taken, while /health/ready says 503: as long as a load \
             balancer needs to notice. SIGINT (Ctrl-C) does not wait.",
        ),
        Setting::new(
            "server.shutdown_timeout",
            Kind::Duration(0, 10 * MINUTE),
            "5s",
            "How long running requests may then take to finish.",
        ),
    ],
};

/// Listeners, TLS, proxies and time limits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where to accept HTTP requests; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The certificate chain in PEM, with [`Server::tls_key`].
    pub tls_cert: Option<PathBuf>,
    /// The private key in PEM, with [`Server::tls_cert`].
    pub tls_key: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Threads that serve requests; one per processor if absent.
    pub workers: Option<usize>,
    /// Where `/metrics` is answered.
    pub metrics_listen: SocketAddr,
    /// Whether somebody set [`Server::metrics_listen`]: only then is a busy port an error.
    #[serde(skip)]
    pub metrics_listen_given: bool,
    /// How long a client may take to send a body, and then how long the answer may take.
    #[serde(deserialize_with = "duration::deserialize")]
    pub request_timeout: Duration,
    /// How long a connection may rest between two requests.
    #[serde(deserialize_with = "duration::deserialize")]
    pub keep_alive: Duration,
    /// How long requests are still taken after SIGTERM.
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain_delay: Duration,
    /// How long running requests may take to finish after that.
    #[serde(deserialize_with = "duration::deserialize")]
    pub shutdown_timeout: Duration,
}

impl Server {
    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let (given, missing) = match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => ("tls_cert", "tls_key"),
            (None, Some(_)) => ("tls_key", "tls_cert"),
            _ => return,
        };
        problems.push(format!("server.{given} is set without server.{missing}: give both or none"));
    }
}

/// A network, or one address as a network of its own. Networks of all addresses are refused: with one of them
/// anybody could write any address into `X-Forwarded-For`.
pub(super) fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| "is neither an IP address nor a network such as 10.0.0.0/8")?;
    if network.prefix_len() == 0 {
        return Err("holds every address: name the proxies, or anybody can forge X-Forwarded-For");
    }
    Ok(network.trunc())
}

fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse_network(text).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_network_or_an_address() {
        for (text, expected) in [
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("192.0.2.1", Some("192.0.2.1/32")),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("10.0.0.0/33", None),
            ("proxy.example.com", None),
            ("", None),
        ] {
            assert_eq!(
                parse_network(text).ok().map(|network| network.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
